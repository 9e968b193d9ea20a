import diagnostics from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { Acl, AclResolver, EventBroker, type DiagnosticsMessages, type EventBrokerOptions } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { MemoryEventLog, VirtualClock } from 'fenceline/testing';
import { AclWorld, readIn, secretOf } from './acl-world.ts';
import { drain, failureOf } from './reading.ts';

type Name = keyof DiagnosticsMessages;
/** What was told: the channel, and the message as it stood then. */
type Told = readonly [channel: string, message: Readonly<Record<string, unknown>>];

const plain = ['fenceline.deliver', 'fenceline.revoke', 'fenceline.gap', 'fenceline.stall', 'fenceline.close'] as const;
const traced = ['fenceline.publish', 'fenceline.subscribe'] as const;
const steps = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function listen(name: string, call: (message: unknown) => void): void {
  diagnostics.subscribe(name, call);
  stops.push(() => void diagnostics.unsubscribe(name, call));
}

/** Listens on these channels, and on all of a trace, for what one broker tells: others run in this process too. */
function collect(broker: () => object, names: readonly Name[] = [...plain, ...traced]): Told[] {
  const told: Told[] = [];
  const take = (channel: string) => (message: unknown) => {
    const facts = message as Told[1];
    if (facts['broker'] === broker()) told.push([channel, { ...facts }]);
  };
  for (const name of names) {
    if (!traced.some((one) => one === name)) listen(name, take(name));
    else for (const step of steps) listen(`tracing:${name}:${step}`, take(`${name}:${step}`));
  }
  return told;
}

const event = { topic: 'Job', type: 'Made', key: 'a', payload: { secret: 'in-the-payload' } };
const makeBroker = (options: EventBrokerOptions = {}) => {
  const clock = new VirtualClock();
  return { clock, broker: new EventBroker({ clock, ...options }) };
};

describe('fenceline.publish', () => {
  it('is traced from the call to the index, with what is published and no payload', async () => {
    const { broker } = makeBroker();
    const told = collect(() => broker, ['fenceline.publish']);
    const index = await broker.publish([event, { ...event, topic: 'Node' }, event]);
    expect(told.map(([channel]) => channel.split(':')[1])).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(told.at(-1)?.[1]).toEqual({ broker, events: 3, topics: ['Job', 'Node'], result: index });
    expect(told[0]?.[1]).toEqual({ broker, events: undefined, topics: undefined });
  });

  it('tells why nothing was published', async () => {
    const { broker } = makeBroker();
    const told = collect(() => broker, ['fenceline.publish']);
    const error = await failureOf(() => broker.publish(event, { index: 1, expectedIndex: 9 }));
    await expect(broker.publish({ ...event, topic: 7 } as never)).rejects.toThrow(/topic/);
    const errors = told.filter(([channel]) => channel.endsWith(':error'));
    expect(errors[0]?.[1]).toMatchObject({ events: 1, error });
    expect(errors[1]?.[1]).toMatchObject({ events: undefined });
    expect(told.filter(([channel]) => channel.endsWith(':asyncEnd'))).toHaveLength(2);
  });

  it('leaves a publish as it is: there for poll() when the call returns, and with the same index', async () => {
    const { broker } = makeBroker();
    const subscription = await broker.subscribe();
    collect(() => broker);
    const published = broker.publish(event);
    expect(subscription.poll()?.index).toBe(1);
    expect(await published).toBe(1);
  });

  it('is traced to the log’s acknowledgement', async () => {
    const { broker } = makeBroker({ log: new MemoryEventLog() });
    const told = collect(() => broker, ['fenceline.publish']);
    expect(await broker.publish(event)).toBe(1);
    expect(told.at(-1)?.[1]).toMatchObject({ events: 1, topics: ['Job'], result: 1 });
    await broker.close();
  });
});

describe('fenceline.subscribe', () => {
  it('is traced from the call to the subscription, with who asked for what', async () => {
    const world = new AclWorld();
    world.policy('p', readIn('default'));
    world.token('t', { policies: ['p'] });
    const told = collect(() => world.broker, ['fenceline.subscribe']);
    const subscription = await world.subscribe('t', { topics: ['Job'], namespace: 'default' });
    expect(told.map(([channel]) => channel.split(':')[1])).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    const facts = { topics: 'Job:*', namespaces: ['default'], accessorId: 't' };
    expect(told.at(-1)?.[1]).toEqual({ broker: world.broker, ...facts, result: subscription });
  });

  it('tells who was refused what, and why', async () => {
    const world = new AclWorld();
    world.token('t');
    const told = collect(() => world.broker, ['fenceline.subscribe']);
    const error = await failureOf(() => world.subscribe('t', { namespace: 'prod' }));
    const told2 = told.find(([channel]) => channel.endsWith(':error'))?.[1];
    expect(told2).toEqual({ broker: world.broker, topics: 'Job:*', namespaces: ['prod'], accessorId: 't', error });
    await failureOf(() => world.subscribe('t', { namespace: 7 as never }));
    expect(told.at(-1)?.[1]).toMatchObject({ topics: undefined, error: { code: 'bad_request' } });
  });
});

describe('fenceline.deliver', () => {
  it('tells each write to a transport, with bytes and the position that it brings', async () => {
    const { broker, clock } = makeBroker();
    const told = collect(() => broker, ['fenceline.deliver']);
    const subscription = await broker.subscribe();
    const sizes: number[] = [];
    const sink = { write: (chunk: Uint8Array) => sizes.push(chunk.length) > 0, end: () => undefined };
    subscription.deliverTo(sink, ndjsonFormat);
    await clock.settle();
    await broker.publish(event);
    await broker.publish(event);
    await clock.settle();
    expect(told.map(([, { bytes }]) => bytes)).toEqual(sizes);
    const [, last] = told.at(-1) ?? [];
    expect(last).toEqual({
      broker,
      subscription,
      accessorId: undefined,
      position: 2,
      bytes: sizes.at(-1),
      events: undefined,
    });
  });

  it('tells the last bytes of a stream too', async () => {
    const { broker, clock } = makeBroker();
    const told = collect(() => broker, ['fenceline.deliver']);
    let last = 0;
    const sink = { write: () => true, end: (bytes?: Uint8Array) => void (last = bytes?.length ?? 0) };
    (await broker.subscribe()).deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await clock.settle();
    await broker.close();
    expect(told.map(([, { bytes }]) => bytes)).toEqual([last]);
    expect(last).toBeGreaterThan(0);
  });

  it('tells each batch that is taken in process, by poll() and by next()', async () => {
    const { broker } = makeBroker();
    const told = collect(() => broker, ['fenceline.deliver']);
    const subscription = await broker.subscribe();
    await broker.publish([event, event]);
    subscription.poll();
    const next = subscription.next();
    await broker.publish(event);
    await next;
    const facts = { broker, subscription, accessorId: undefined, bytes: undefined };
    expect(told.map(([, message]) => message)).toEqual([
      { ...facts, position: 1, events: 2 },
      { ...facts, position: 2, events: 1 },
    ]);
  });

  it('does not tell what a transport did not take, since it threw', async () => {
    const { broker, clock } = makeBroker();
    const told = collect(() => broker, ['fenceline.deliver']);
    const write = (): boolean => {
      throw new Error('of a stranger');
    };
    (await broker.subscribe()).deliverTo({ write, end: write }, ndjsonFormat);
    await clock.settle();
    expect(told).toEqual([]);
  });
});

describe('fenceline.revoke, gap, stall and close', () => {
  it('tell what the notifications tell, and by which broker', async () => {
    const world = new AclWorld({ buffer: { maxBatches: 2 } });
    world.policy('p', readIn('default'));
    world.token('t', { policies: ['p'] });
    const told = collect(
      () => world.broker,
      ['fenceline.revoke', 'fenceline.gap', 'fenceline.stall', 'fenceline.close'],
    );
    const notices: Told[] = [];
    const names = { revoked: 'revoke', gap: 'gap', lagging: 'stall', unsubscribe: 'close' } as const;
    for (const [name, channel] of Object.entries(names))
      world.broker.on(name as 'gap', (notice) => notices.push([`fenceline.${channel}`, { ...notice }]));

    const slow = await world.subscribe('t');
    await world.jobs(4);
    drain(slow);
    const stalled = await world.subscribe('t');
    stalled.deliverTo({ write: () => false, end: () => undefined, waitingBytes: 5 }, ndjsonFormat);
    world.records.deleteToken('t');
    await world.tokenChanged('t');
    await world.clock.settle();

    expect(told.map(([channel]) => channel)).toEqual(
      expect.arrayContaining(Object.values(names).map((n) => `fenceline.${n}`)),
    );
    expect(told).toEqual(notices.map(([channel, notice]) => [channel, { broker: world.broker, ...notice }]));
    const facts = { accessorId: 't', topics: 'Job:*', namespaces: ['default'] };
    const of = (name: string) => told.find(([channel]) => channel === name)?.[1];
    expect(of('fenceline.gap')).toMatchObject({ ...facts, subscription: slow, gap: { reason: 'slow' } });
    expect(of('fenceline.stall')).toMatchObject({ ...facts, subscription: stalled, waitingBytes: 5 });
    expect(of('fenceline.revoke')).toMatchObject({ ...facts, error: { code: 'acl_revoked' } });
    expect(of('fenceline.close')).toMatchObject({ ...facts, error: { code: 'acl_revoked' } });
  });

  it('find the broker at rest, and may publish from within', async () => {
    const { broker } = makeBroker({ buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe();
    const seen: number[] = [];
    let isFirst = true;
    listen('fenceline.gap', (message) => {
      if ((message as { broker: object }).broker !== broker) return;
      if (isFirst) void broker.publish(event);
      isFirst = false;
      seen.push(broker.stats().latestIndex);
    });
    for (let i = 0; i < 4; i++) await broker.publish(event);
    expect(drain(subscription).indexes).toEqual([3, 4, 5]);
    expect(seen).toEqual([5]);
  });
});

describe('with a listener on a channel', () => {
  it('a delivery that publishes and closes from within disturbs no other stream', async () => {
    const { broker, clock } = makeBroker();
    const written: string[] = [];
    const [first, second] = [await broker.subscribe(), await broker.subscribe()];
    let isFirst = true;
    listen('fenceline.deliver', (message) => {
      const { broker: teller, subscription } = message as DiagnosticsMessages['fenceline.deliver'];
      if (teller !== broker || subscription !== first || !isFirst) return;
      isFirst = false;
      void broker.publish(event);
      subscription.close();
    });
    const sink = { write: (chunk: Uint8Array) => written.push(String(Buffer.from(chunk))) > 0, end: () => undefined };
    first.deliverTo({ write: () => true, end: () => undefined }, ndjsonFormat, { heartbeatMs: 0 });
    second.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await clock.settle();
    await broker.publish(event);
    await clock.settle();
    expect(written.join('').match(/"Index":\d+,"Events"/g)).toEqual(['"Index":1,"Events"', '"Index":2,"Events"']);
    expect(broker.stats()).toMatchObject({ subscriptions: 1, ended: { none: 1 } });
  });

  it('no message holds a secret, a claim or a payload', async () => {
    const world = new AclWorld();
    const told = collect(() => world.broker);
    world.policy('p', readIn('default'));
    world.records.upsertToken({
      accessorId: 't',
      secretId: secretOf('t'),
      type: 'client',
      policies: ['p'],
      claims: { user: 'claimed-by-t' },
    });
    const subscription = await world.subscribe('t');
    await world.broker.publish({ ...event, namespace: 'default' } as never);
    drain(subscription);
    await failureOf(() => world.subscribe('t', { namespace: 'prod' }));
    world.store.failWith(new Error(`No row for ${secretOf('t')}.`));
    await world.tokenChanged('t');
    await world.clock.settle();
    await failureOf(() => world.subscribe('t'));
    world.store.failWith(new Error(`No row for ${secretOf('unknown')}.`));
    await failureOf(() => world.subscribe('unknown'));
    expect(new Set(told.map(([channel]) => channel.split(':')[0]))).toEqual(
      new Set(['fenceline.publish', 'fenceline.subscribe', 'fenceline.deliver', 'fenceline.revoke', 'fenceline.close']),
    );
    const options = { depth: Infinity, showHidden: true, maxStringLength: null, maxArrayLength: null };
    const text = told.map((one) => inspect(one, options)).join('\n');
    for (const secret of [secretOf('t'), secretOf('unknown'), 'claimed-by-t', 'in-the-payload'])
      expect(text).not.toContain(secret);
  });

  it('a context that it opens for a publish is there in what the publish calls', async () => {
    const { AsyncLocalStorage } = await import('node:async_hooks');
    const spans = new AsyncLocalStorage<string>();
    const start = diagnostics.channel('tracing:fenceline.publish:start');
    start.bindStore(spans, () => 'span');
    stops.push(() => void start.unbindStore(spans));
    const { broker } = makeBroker();
    const seen: unknown[] = [];
    await broker.publish(event, { commit: () => void seen.push(spans.getStore()) });
    expect([seen, spans.getStore()]).toEqual([['span'], undefined]);
  });
});

it('a broker whose channels nobody listens on makes no message', async () => {
  const store = { tokenBySecretId: () => undefined, policyByName: () => undefined, roleById: () => undefined };
  const { broker, clock } = makeBroker({ acl: new AclResolver({ store }), buffer: { maxBatches: 1 } });
  for (const name of [...plain, ...traced.flatMap((one) => steps.map((step) => `tracing:${one}:${step}`))])
    expect(diagnostics.hasSubscribers(name)).toBe(false);
  const { publish } = diagnostics.Channel.prototype;
  const published: unknown[] = [];
  diagnostics.Channel.prototype.publish = (message) => void published.push(message);
  stops.push(() => void (diagnostics.Channel.prototype.publish = publish));
  await failureOf(() => broker.subscribe());
  const reader = await broker.subscribe({ acl: Acl.management });
  const stalled = await broker.subscribe({ acl: Acl.management });
  stalled.deliverTo({ write: () => false, end: () => undefined }, ndjsonFormat);
  for (let i = 0; i < 3; i++) await broker.publish(event);
  await clock.settle();
  expect(drain(reader).gaps).toHaveLength(1);
  await broker.close();
  expect(published).toEqual([]);
});
