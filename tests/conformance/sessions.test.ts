import { describe, expect, it } from 'vitest';
import { AclResolver } from '../../src/acl/acl-resolver.ts';
import { MemoryAclStore } from '../../src/acl/acl-store.ts';
import { Acl, type AclFacts } from '../../src/acl/acl.ts';
import { EventBroker, type EventBrokerOptions } from '../../src/core/broker/event-broker.ts';
import type { SubscribeOptions } from '../../src/core/broker/subscribe-request.ts';
import type { Subscription } from '../../src/core/delivery/subscription.ts';
import { defineTopics } from '../../src/model/topics.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const topics = defineTopics({
  Order: { requires: { namespace: 'read' } },
  Audit: { requires: { namespace: 'audit' } },
});
const LIMIT_MS = 300;

function newWorld(options: Pick<EventBrokerOptions, 'acl' | 'limits'> = {}) {
  const clock = new VirtualClock();
  const broker = new EventBroker({ topics, clock, reauthorizeTimeoutMs: LIMIT_MS, ...options });
  const open = (options: SubscribeOptions<'Order' | 'Audit'>): Promise<Subscription> =>
    broker.subscribe({ topics: ['Order'], ...options }) as Promise<unknown> as Promise<Subscription>;
  const order = (namespace: string): Promise<number> =>
    broker.publish({ topic: 'Order', type: 'x', key: namespace, namespace, payload: null });
  return { clock, broker, open, order };
}

const aclIn = (namespaces: readonly string[], facts: AclFacts): Acl => {
  const namespace = Object.fromEntries(namespaces.map((name) => [name, { capabilities: ['read'] }] as const));
  return Acl.fromRules([{ namespace }], facts);
};

function keysOf(subscription: Subscription): readonly string[] {
  const keys: string[] = [];
  for (let batch = subscription.poll(); batch; batch = subscription.poll())
    keys.push(...batch.events.map((e) => e.key));
  return keys;
}

const codeOf = (subscription: Subscription): string | undefined => {
  try {
    keysOf(subscription);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return undefined;
};

describe('streams whose rights are one', () => {
  it('are asked for again when one comes with others: its change is known, and its news still to come', async () => {
    const { clock, broker, open, order } = newWorld();
    let isClerk = true;
    const acl = () => (): Acl =>
      aclIn(isClerk ? ['acme'] : ['other'], {
        accessorId: 'a',
        perAccessor: true,
        dependsOn: isClerk ? ['role:clerks'] : [],
      });
    const first = await open({ acl: acl(), scope: 'allowed' });
    isClerk = false;
    await open({ acl: acl(), scope: 'allowed' });
    await broker.aclChanged({ role: 'clerks' });
    await clock.settle();
    await order('acme');
    await order('other');
    expect(keysOf(first)).toEqual(['other']);
  });

  it('of a token too, where nothing is kept of it', async () => {
    const store = new MemoryAclStore();
    const rules = (name: string) => ({ namespace: { [name]: { capabilities: ['read'] } } });
    store.upsertPolicy({ name: 'p', rules: rules('acme') });
    store.upsertPolicy({ name: 'q', rules: rules('other') });
    store.upsertToken({ accessorId: 't', secretId: 's', type: 'client', policies: ['p'] });
    const { clock, broker, open, order } = newWorld({ acl: new AclResolver({ store, maxCached: 0 }) });
    const first = await open({ token: 's', scope: 'allowed' });
    store.upsertToken({ accessorId: 't', secretId: 's', type: 'client', policies: ['q'] });
    await open({ token: 's', scope: 'allowed' });
    store.deletePolicy('p');
    await broker.aclChanged({ policy: 'p' });
    await clock.settle();
    await order('acme');
    await order('other');
    expect(keysOf(first)).toEqual(['other']);
  });

  it('end each at its own time', async () => {
    const { clock, open, order } = newWorld();
    const until = (ms: number, perAccessor: boolean) => (): Acl =>
      aclIn(['acme'], { accessorId: 'a', perAccessor, expiresAt: start + ms });
    const start = clock.now();
    const [soon, late] = [
      await open({ namespace: 'acme', acl: until(100, true) }),
      await open({ namespace: 'acme', acl: until(100_000, true) }),
    ];
    await clock.advance(200);
    await order('acme');
    expect(codeOf(soon)).toBe('acl_expired');
    expect(keysOf(late)).toEqual(['acme']);
  });

  it('rest on what each came with, until one answer is for all', async () => {
    const { clock, broker, open, order } = newWorld();
    const answers: (() => Acl | Promise<Acl>)[] = [];
    let answer: (() => void) | undefined;
    const acl = (): Acl | Promise<Acl> => (answers.shift() ?? (() => aclIn(['acme'], { accessorId: 'a' })))();
    answers.push(() => aclIn(['acme'], { accessorId: 'a' }));
    await open({ namespace: 'acme', acl });
    answers.push(() => new Promise((resolve) => (answer = () => resolve(aclIn(['acme'], { accessorId: 'a' })))));
    await broker.aclChanged({ token: 'a' });
    await clock.settle();
    // It joins while the answer is under way, and rests on more.
    answers.push(() => aclIn(['acme'], { accessorId: 'a', dependsOn: ['role:y'] }));
    const second = await open({ namespace: 'acme', acl });
    let asked = 0;
    for (let i = 0; i < 9; i++)
      answers.push(() => (asked++, aclIn(['acme'], { accessorId: 'a', dependsOn: ['role:y'] })));
    answer?.();
    await clock.settle();
    await broker.aclChanged({ role: 'y' });
    await clock.settle();
    expect(asked).toBeGreaterThanOrEqual(2);
    await order('acme');
    expect(keysOf(second)).toEqual(['acme']);
  });

  it('end when their accessor’s answer is for all no more: none gets what another’s function granted', async () => {
    const { clock, broker, open, order } = newWorld();
    let areMany = false;
    const acl = (own: string) => (): Acl =>
      aclIn(areMany ? [own] : ['acme', 'beta'], { accessorId: 'a', perAccessor: !areMany });
    const first = await open({ acl: acl('acme'), scope: 'allowed' });
    await open({ acl: acl('beta'), scope: 'allowed' });
    areMany = true;
    await broker.aclChanged({ token: 'a' });
    await clock.settle();
    await order('beta');
    expect(codeOf(first)).toBe('acl_revoked');
  });

  it('lose nothing when one of them finds no room', async () => {
    const store = new MemoryAclStore();
    const grant = (...names: readonly string[]): void =>
      store.upsertPolicy({
        name: 'p',
        rules: { namespace: Object.fromEntries(names.map((name) => [name, { capabilities: ['read', 'audit'] }])) },
      });
    grant('acme');
    store.upsertToken({ accessorId: 't', secretId: 's', type: 'client', policies: ['p'] });
    const { clock, broker, open, order } = newWorld({ acl: new AclResolver({ store }), limits: { placesInAll: 6 } });
    const modest = await open({ token: 's', namespace: 'acme' });
    const greedy = await open({ token: 's', scope: 'allowed', topics: ['Order', 'Audit'] });
    grant('acme', 'b', 'c', 'd', 'e');
    await broker.aclChanged({ policy: 'p' });
    await clock.settle();
    await order('acme');
    expect(keysOf(modest)).toEqual(['acme']);
    expect(codeOf(greedy)).toBe('acl_unavailable');
  });
});

describe('a function that tells of a change whenever it is asked', () => {
  const tells = (broker: { aclChanged(change: { token: string }): Promise<void> }) => (): Acl => {
    void broker.aclChanged({ token: 'a' });
    return aclIn(['acme'], { accessorId: 'a' });
  };

  it('opens nothing, and stops nobody', async () => {
    const broker = new EventBroker({ topics, reauthorizeTimeoutMs: 50 });
    const opening = broker.subscribe({ topics: ['Order'], namespace: 'acme', acl: tells(broker) });
    await expect(opening).rejects.toMatchObject({ code: 'acl_unavailable' });
  });

  it('ends its stream, and stops nobody', async () => {
    const broker = new EventBroker({ topics, reauthorizeTimeoutMs: 50 });
    const answers = [(): Acl => aclIn(['acme'], { accessorId: 'a' })];
    const acl = (): Acl => (answers.shift() ?? tells(broker))();
    const subscription = await broker.subscribe({ topics: ['Order'], namespace: 'acme', acl });
    const ended = new Promise<string>((resolve) => broker.on('revoked', ({ error }) => resolve(error.code)));
    await broker.aclChanged({ token: 'a' });
    expect(await ended).toBe('acl_unavailable');
    expect(subscription.state).toBe('closed');
  });

  it('as a pin, likewise', async () => {
    const broker = new EventBroker({ topics, reauthorizeTimeoutMs: 50 });
    let isTelling = false;
    const pin = (): { namespace: string } => {
      if (isTelling) void broker.aclChanged({ token: 'a' });
      return { namespace: 'acme' };
    };
    await broker.subscribe({ topics: ['Order'], acl: () => aclIn(['acme'], { accessorId: 'a' }), pin });
    isTelling = true;
    const ended = new Promise<string>((resolve) => broker.on('revoked', ({ error }) => resolve(error.code)));
    await broker.aclChanged({ token: 'a' });
    expect(await ended).toBe('acl_unavailable');
  });
});

describe('a pin that takes its time', () => {
  it('holds its stream no longer than rights may, however often they change', async () => {
    const { clock, broker, open } = newWorld();
    const pin = () =>
      new Promise<{ namespace: string }>((resolve) => void clock.after(200, () => resolve({ namespace: 'acme' })));
    const opening = open({ acl: () => aclIn(['acme'], { accessorId: 'a' }), pin });
    await clock.advance(200);
    const subscription = await opening;
    for (let ms = 0; ms <= LIMIT_MS; ms += 50) {
      await broker.aclChanged({ token: 'a' });
      await clock.advance(50);
    }
    expect(codeOf(subscription)).toBe('acl_unavailable');
  });

  it('is one of 64 that are asked at once', async () => {
    const { clock, broker, open } = newWorld();
    let [now, most] = [0, 0];
    const pin = async (): Promise<{ namespace: string }> => {
      most = Math.max(most, ++now);
      await new Promise<void>((resolve) => void clock.after(1, resolve));
      now--;
      return { namespace: 'acme' };
    };
    const acl = (): Acl => aclIn(['acme'], { accessorId: 'a' });
    const openings = Array.from({ length: 150 }, () => open({ acl, pin }));
    await clock.advance(1);
    await Promise.all(openings);
    most = 0;
    await broker.aclChanged({ token: 'a' });
    for (let i = 0; i < 5; i++) await clock.advance(1);
    expect(most).toBe(64);
    expect(broker.stats().subscriptions).toBe(150);
  });
});

describe('what a host says of rights', () => {
  it.each<[string, object, string]>([
    ['dependsOn that is no list', { dependsOn: 'role:clerks' }, "dependsOn must be a list of 'token:<accessorId>'"],
    ['dependsOn as aclChanged takes it', { dependsOn: [{ role: 'clerks' }] }, 'dependsOn must be a list'],
    ['dependsOn of another kind', { dependsOn: ['roles:clerks'] }, 'got "roles:clerks"'],
    ['management that is a text', { management: 'false' }, 'management must be true or false; got "false"'],
    ['perAccessor that is a text', { perAccessor: 'yes' }, 'perAccessor must be true or false'],
    ['an accessor that is a number', { accessorId: 42 }, 'accessorId must be a text that is not empty; got 42'],
  ])('%s is refused', (_, facts, message) => {
    expect(() => Acl.fromRules([], facts)).toThrow(message);
  });

  it('rules that are no list are refused', () => {
    expect(() => Acl.fromRules({ namespace: {} } as never)).toThrow('Acl.fromRules takes a list of rules');
  });

  it('claims that are no object show nothing', () => {
    for (const claims of [null, 'x', []]) {
      const acl = Acl.fromRules([], { claims: claims as never });
      expect(acl.claims).toBeUndefined();
      expect(acl.claimsFault).toContain('claims must be an object');
    }
  });

  it('a pin of no topics is a mistake, and not everything', async () => {
    const { open } = newWorld();
    const opening = open({ pin: { topics: [] }, acl: Acl.management });
    await expect(opening).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('an explanation', () => {
  it('is guarded as an opening is', async () => {
    const { clock, broker } = newWorld({ acl: new AclResolver({ store: new MemoryAclStore() }) });
    const asked = { topics: ['Order'], namespace: 'acme' } as const;
    for (const acl of [() => undefined, () => ({})])
      await expect(broker.explain({ ...asked, acl: acl as never })).rejects.toMatchObject({ code: 'acl_unavailable' });
    const never = broker.explain({ ...asked, acl: () => new Promise<never>(() => undefined) });
    const ended = expect(never).rejects.toMatchObject({ code: 'acl_unavailable' });
    await clock.advance(LIMIT_MS + 1);
    await ended;
  });

  it('says of what is allowed what an opening does', async () => {
    const { broker } = newWorld();
    const acl = aclIn(['acme'], { accessorId: 'a' });
    expect((await broker.explain({ topics: ['Order'], scope: 'allowed', acl })).isAllowed).toBe(true);
    expect((await broker.explain({ topics: ['Audit'], scope: 'allowed', acl })).isAllowed).toBe(false);
  });
});
