import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BrokerError } from '../../../src/model/errors.ts';
import { snapshot } from '../../../src/core/batch/payload-copy.ts';

/** Values of every kind that JSON.stringify has a rule for. */
const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.boolean(),
  fc.constantFrom<unknown>(null, undefined, -0, NaN, Infinity, Symbol('s'), () => 1),
  fc.date({ noInvalidDate: false }),
  fc.constantFrom<unknown>(new Number(3), new String('boxed'), new Boolean(false), /regexp/u, new Map([[1, 2]])),
  fc.uint8Array({ maxLength: 3 }),
);

const memberName = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toString', 'constructor', '0', '-1', ''));

const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('anything'), { maxLength: 4 }),
    fc.array(tie('anything'), { maxLength: 4 }).map(withHoles),
    fc.array(fc.tuple(memberName, tie('anything')), { maxLength: 4 }).map(ownMembers),
    tie('anything').map((value) => ({ toJSON: () => value })),
    fc
      .tuple(memberName, tie('anything'))
      .map(([name, value]) => ({ [name]: { toJSON: (key: string) => [key, value] } })),
  ),
}));

/** `__proto__` as a member of its own, as JSON.parse makes it. */
function ownMembers(entries: readonly (readonly [string, unknown])[]): object {
  const made = {};
  for (const [name, value] of entries)
    Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
  return made;
}

function withHoles(values: unknown[]): unknown[] {
  delete values[0];
  return values;
}

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen);
}

function deeplyFreeze<V>(value: V): V {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const member of Object.values(value)) deeplyFreeze(member);
  return Object.freeze(value);
}

function hasNegativeZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasNegativeZero);
  return Object.is(value, -0);
}

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'bad_request', message: expect.stringMatching(message) as string }) as BrokerError;

describe('a snapshot', () => {
  it('has the JSON text of what it was taken of', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const expected = JSON.stringify(value) as string | undefined;
        fc.pre(expected !== undefined);
        expect(JSON.stringify(snapshot(value, 'event').payload)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('is what JSON.parse makes of that text', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const text = JSON.stringify(value) as string | undefined;
        fc.pre(text !== undefined);
        expect(isDeepStrictEqual(snapshot(value, 'event').payload, JSON.parse(text))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('is deeply frozen and shares nothing with the original', () => {
    fc.assert(
      fc.property(anything, (value) => {
        fc.pre(JSON.stringify(value) !== undefined);
        expect(isDeeplyFrozen(snapshot(value, 'event').payload)).toBe(true);
      }),
    );
    const inner = { n: 1 };
    const { payload } = snapshot({ inner }, 'event');
    inner.n = 2;
    expect(payload).toEqual({ inner: { n: 1 } });
  });

  it('is the payload itself, not a copy, where that is JSON and frozen all the way down', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!hasNegativeZero(value));
        deeplyFreeze(value);
        expect(snapshot(value, 'event').payload).toBe(value);
      }),
    );
  });

  it('is as good a copy of anything else that is frozen', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const text = JSON.stringify(value) as string | undefined;
        fc.pre(text !== undefined);
        deeplyFreeze(value);
        const { payload } = snapshot(value, 'event');
        expect(isDeepStrictEqual(payload, JSON.parse(text))).toBe(true);
        expect(isDeeplyFrozen(payload)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, object]>([
    ['a member that is not frozen', { inner: { n: 1 } }],
    ['an element that is not frozen', [[1]]],
    [
      'a getter',
      {
        get now() {
          return Math.random();
        },
      },
    ],
    ['a hidden member', Object.defineProperty({ a: 1 }, 'hidden', { value: 1 })],
    ['a member by a symbol', { a: 1, [Symbol('own')]: { n: 1 } }],
    ['a member beside the elements', Object.assign([1], { more: 1 })],
    ['a hole', withHoles([1, 2])],
    ['a hole, and a member beside the elements', Object.assign(withHoles([1, 2]), { more: 1 })],
    [
      'a class of its own',
      new (class Order {
        id = 1;
      })(),
    ],
    ['an array of a class of its own', new (class Orders extends Array<number> {})(1, 2)],
    ['-0', [-0]],
    ['a toJSON', { toJSON: () => ({ a: 1 }) }],
    ['a proxy before it', new Proxy(Object.freeze({ a: 1 }), {})],
    ['a proxy within', [new Proxy(Object.freeze([1]), {})]],
    ['a view behind it', Object.setPrototypeOf(new Uint8Array(0), Object.prototype) as object],
    ['a BigInt behind it', Object.setPrototypeOf(Object(1n), Object.prototype) as object],
  ])('copies what is frozen but has %s', (_, value) => {
    Object.freeze(value);
    const { payload } = snapshot(value, 'event');
    expect(payload).not.toBe(value);
    expect(isDeeplyFrozen(payload)).toBe(true);
  });

  it('takes what a proxy of a frozen value answers when it is published, and nothing of it later', () => {
    let n = 0;
    const get = (target: object, name: string, proxy: unknown): unknown =>
      name === 'toJSON' ? () => ++n : Reflect.get(target, name, proxy);
    const { payload } = snapshot(Object.freeze({ in: new Proxy(Object.freeze({ a: 1 }), { get }) }), 'event');
    expect([JSON.stringify(payload), JSON.stringify(payload)]).toEqual(['{"in":1}', '{"in":1}']);
  });

  it('refuses a proxy that throws, whatever it is asked', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const get = (_: object, name: string | symbol): never => {
      throw new Error(`${String(name)} is not there`);
    };
    for (const value of [proxy, Object.freeze([proxy]), new Proxy(Object.freeze({ a: 1 }), { get })])
      expect(() => snapshot(value, 'event')).toThrow(refused(/reading it threw/));
  });

  it('takes a boxed value for what is in it, of any realm, and what only looks like one for a record', () => {
    const make = 'new Number(5), new String("abc"), new Boolean(false), Object(Symbol())';
    const boxed = [...runInNewContext(`[${make}]`), new Number(5), new String('abc'), new Boolean(false)] as unknown[];
    const others = [Object.create(Number.prototype), Object.create(String.prototype), Object.create(Boolean.prototype)];
    const renamed = Object.assign(new Boolean(true), { valueOf: () => 'x' });
    const values: unknown[] = [...boxed, ...others, Object(Symbol('own')), renamed];
    expect(snapshot(values, 'event').payload).toEqual(JSON.parse(JSON.stringify(values)));
    for (const value of [Object(1n), runInNewContext('Object(1n)')])
      expect(() => snapshot(value, 'event')).toThrow(refused(/a BigInt has no JSON form/));
  });

  it('refuses a frozen value that is circular, and one that is too deep', () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    let deep: unknown = 1;
    for (let i = 0; i < 600; i++) deep = Object.freeze([deep]);
    for (const value of [Object.freeze(circular), deep])
      expect(() => snapshot(value, 'event')).toThrow(refused(/circular, or deeper than 500 levels/));
  });

  it('holds a frozen value that is just not too deep', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 501; i++) deep = Object.freeze([deep]);
    expect(snapshot(deep, 'event').payload).toBe(deep);
    expect(() => snapshot(Object.freeze([deep]), 'event')).toThrow(refused(/deeper than 500 levels/));
  });

  it('counts the elements of a frozen array', () => {
    const bytesOf = (text: string) => snapshot(Object.freeze([text]), 'event').bytes;
    expect(bytesOf('x'.repeat(1000)) - bytesOf('')).toBeGreaterThanOrEqual(1000);
  });

  it('counts as much memory for a frozen payload as for its copy', () => {
    const value = () => ({
      text: 'x'.repeat(100),
      wide: 'й'.repeat(50),
      n: 1.5,
      flag: true,
      none: null,
      inner: { n: 1 },
    });
    expect(snapshot(deeplyFreeze(value()), 'event').bytes).toBe(snapshot(value(), 'event').bytes);
  });

  it('keeps a member named __proto__ as a member, and no prototype from it', () => {
    const { payload } = snapshot(JSON.parse('{"__proto__":{"polluted":true}}'), 'event');
    expect(JSON.stringify(payload)).toBe('{"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
    expect((payload as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('turns -0 into 0, as the wire does', () => {
    expect(Object.is(snapshot(-0, 'event').payload, 0)).toBe(true);
  });

  it('calls toJSON once, with the key', () => {
    const keys: string[] = [];
    const value = { a: [{ toJSON: (key: string) => keys.push(key) }] };
    snapshot(value, 'event');
    expect(keys).toEqual(['0']);
  });

  it('takes what toJSON of a function, and of an object that it answers, gives, as JSON.stringify does', () => {
    const callable = Object.assign(() => 1, { toJSON: () => 'made' });
    const boxing = { toJSON: () => new Number(5) };
    for (const value of [callable, [callable], boxing, { boxing }])
      expect(JSON.stringify(snapshot(value, 'event').payload)).toBe(JSON.stringify(value));
  });

  it('asks toJSON of the payload itself with an empty key, as JSON.stringify does', () => {
    const keys: string[] = [];
    const value = { toJSON: (key: string) => keys.push(key) };
    snapshot(value, 'event');
    JSON.stringify(value);
    expect(keys).toEqual(['', '']);
  });

  it('asks toJSON no second time of what it answered, as JSON.stringify does not', () => {
    const answers = Object.assign(() => 1, { toJSON: () => 'a second time' });
    const value = { a: { toJSON: () => answers }, b: 1 };
    expect(JSON.stringify(snapshot(value, 'event').payload)).toBe(JSON.stringify(value));
  });

  it('refuses a BigInt that a toJSON answers, also where BigInts have one', () => {
    const { prototype } = BigInt as unknown as { prototype: { toJSON?: () => string } };
    prototype.toJSON = () => 'a number';
    onTestFinished(() => void delete prototype.toJSON);
    expect(snapshot({ n: 1n }, 'event').payload).toEqual({ n: 'a number' });
    expect(() => snapshot({ n: { toJSON: () => 1n } }, 'event')).toThrow(refused(/BigInt/));
  });

  it('may have 500 levels below its own, and no more', () => {
    const nested = (levels: number) => Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1);
    expect(JSON.stringify(snapshot(nested(501), 'event').payload)).toBe(JSON.stringify(nested(501)));
    expect(() => snapshot(nested(502), 'event')).toThrow(refused(/deeper than 500 levels/));
  });

  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const circularArray: unknown[] = [];
  circularArray.push(circularArray);
  const endless = { toJSON: (): unknown => ({ endless }) };
  const deep = Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 1);

  it.each([
    ['a BigInt', { n: 1n }, /BigInt/],
    ['a boxed BigInt', { n: Object(1n) as unknown }, /BigInt/],
    ['a circular object', circular, /circular/],
    ['a circular array', circularArray, /circular/],
    ['an endless toJSON', endless, /circular/],
    ['what would exhaust the stack', deep, /deeper than 500/],
    ['undefined', undefined, /undefined is no JSON value/],
    ['a function', () => 1, /function is no JSON value/],
    ['a symbol', Symbol('s'), /symbol is no JSON value/],
  ])('refuses %s, naming the place', (_, value, message) => {
    expect(() => snapshot(value, 'event')).toThrow(refused(message));
    expect(() => snapshot(value, 'event')).toThrow(refused(/^event\.payload must be a value that JSON can hold/));
  });

  it('tells what a getter or a toJSON threw as the cause', () => {
    const failure = new Error('of the host');
    const fail = (): never => {
      throw failure;
    };
    const getter = Object.defineProperty({}, 'x', { get: fail, enumerable: true });
    for (const value of [getter, { toJSON: fail }, new Proxy({}, { ownKeys: fail })])
      expect(() => snapshot(value, 'event')).toThrow(
        expect.objectContaining({ code: 'bad_request', cause: failure }) as BrokerError,
      );
    expect(() => snapshot(getter, 'event')).toThrow(refused(/reading it threw/));
  });
});
