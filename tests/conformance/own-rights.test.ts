import { describe, expect, it } from 'vitest';
import { AclDenial } from '../../src/acl/acl-denial.ts';
import { Acl, type AclFacts } from '../../src/acl/acl.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import type { DenialNotice, RuleFailure } from '../../src/core/broker/broker-notifications.ts';
import type { SubscribeOptions } from '../../src/core/broker/subscribe-request.ts';
import type { Subscription } from '../../src/core/delivery/subscription.ts';
import type { BrokerError } from '../../src/model/errors.ts';
import { payloadOf } from '../../src/model/topic-types.ts';
import { defineTopics } from '../../src/model/topics.ts';
import { deferred } from '../../src/testing/deferred.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

interface Order {
  readonly owner: string;
}

const topics = defineTopics({
  Order: { payload: payloadOf<Order>(), requires: { namespace: 'read-orders' } },
  Mine: {
    payload: payloadOf<Order>(),
    requires: 'anyone',
    visible: ({ userId }: { userId: string }, { payload }) => (payload as Order).owner === userId,
  },
  Throwing: {
    requires: 'anyone',
    visible: () => {
      throw new Error('no such column');
    },
  },
  Promising: { requires: 'anyone', visible: (async () => true) as never },
  Mutating: {
    requires: 'anyone',
    visible: (_: object, event) => ((event as { key: string }).key = 'another') === 'another',
  },
  Audit: {},
});

const clock = new VirtualClock();
const inTenants = (...tenants: readonly string[]) => ({
  namespace: Object.fromEntries(tenants.map((tenant) => [tenant, { capabilities: ['read-orders'] }])),
});
const aclIn = (tenants: readonly string[], facts: AclFacts = { accessorId: 'alice' }): Acl =>
  Acl.fromRules([inTenants(...tenants)], facts);

function newBroker() {
  const broker = new EventBroker({ topics, clock, reauthorizeTimeoutMs: 1000 });
  const denials: DenialNotice[] = [];
  const failures: RuleFailure[] = [];
  broker.on('denied', (notice) => void denials.push(notice));
  broker.on('ruleFailed', (notice) => void failures.push(notice));
  const subscribe = (options: SubscribeOptions<'Order'>): Promise<Subscription> =>
    broker.subscribe({ topics: ['Order'], ...options }) as Promise<unknown> as Promise<Subscription>;
  const order = (namespace: string, key = 'o1'): Promise<number> =>
    broker.publish({ topic: 'Order', type: 'Placed', key, namespace, payload: { owner: 'alice' } });
  return { broker, denials, failures, subscribe, order };
}

const codeOf = (opening: Promise<unknown>): Promise<string | undefined> =>
  opening.then(
    () => undefined,
    (error: unknown) => (error as BrokerError).code,
  );

function messageOf(denials: readonly DenialNotice[]): string {
  const [denial] = denials;
  return String((denial?.cause as Error | undefined)?.message);
}

function keysOf(subscription: Subscription): readonly string[] {
  const keys: string[] = [];
  for (let batch = subscription.poll(); batch; batch = subscription.poll())
    keys.push(...batch.events.map(({ namespace, key }) => `${namespace} ${key}`));
  return keys;
}

describe('a function that answers with rights', () => {
  it('is asked when the stream is opened, and again after each change of its accessor', async () => {
    const { broker, subscribe, order } = newBroker();
    let asked = 0;
    const subscription = await subscribe({ namespace: 'acme', acl: () => (asked++, aclIn(['acme'])) });
    await order('acme', 'o1');
    await broker.aclChanged({ token: 'alice' });
    await order('acme', 'o2');
    await clock.settle();
    expect(keysOf(subscription)).toEqual(['acme o1', 'acme o2']);
    expect(asked).toBe(2);
    await broker.aclChanged({ token: 'bob' });
    await clock.settle();
    expect(asked).toBe(2);
  });

  it('holds the stream at the change until it has answered', async () => {
    const { broker, subscribe, order } = newBroker();
    const later = deferred();
    const answers = [aclIn(['acme']), later.promise.then(() => aclIn(['acme']))];
    const subscription = await subscribe({ namespace: 'acme', acl: () => answers.shift() as Acl });
    await order('acme', 'before');
    await broker.aclChanged({ token: 'alice' });
    await order('acme', 'after');
    await clock.settle();
    expect(keysOf(subscription)).toEqual(['acme before']);
    later.resolve();
    await clock.settle();
    expect(keysOf(subscription)).toEqual(['acme after']);
  });

  it('ends the stream at the change when it throws an AclDenial', async () => {
    const { broker, subscribe, order } = newBroker();
    let isLoggedIn = true;
    const acl = (): Acl => {
      if (!isLoggedIn) throw new AclDenial('unknown', 'alice');
      return aclIn(['acme']);
    };
    const subscription = await subscribe({ namespace: 'acme', acl });
    await order('acme', 'before');
    isLoggedIn = false;
    await broker.aclChanged({ token: 'alice' });
    await order('acme', 'after');
    await clock.settle();
    expect(subscription.poll()?.events[0]?.key).toBe('before');
    expect(() => subscription.poll()).toThrowError(expect.objectContaining({ code: 'acl_revoked' }));
  });

  it('ends all streams of one function, and asks it once for them', async () => {
    const { broker, subscribe } = newBroker();
    let asked = 0;
    const acl = (): Acl => (asked++, aclIn(['acme']));
    await Promise.all([1, 2, 3].map(() => subscribe({ namespace: 'acme', acl })));
    asked = 0;
    await broker.aclChanged({ token: 'alice' });
    await clock.settle();
    expect(asked).toBe(1);
  });

  it('is asked once for all of an accessor where its rights say so, and else each', async () => {
    const { broker, subscribe } = newBroker();
    let asked = 0;
    const open = (perAccessor: boolean): Promise<Subscription> =>
      subscribe({ namespace: 'acme', acl: () => (asked++, aclIn(['acme'], { accessorId: 'alice', perAccessor })) });
    const each = await Promise.all([1, 2, 3].map(() => open(false)));
    asked = 0;
    await broker.aclChanged({ token: 'alice' });
    await clock.settle();
    expect(asked).toBe(3);
    for (const subscription of each) subscription.close();
    const shared = await Promise.all([1, 2, 3].map(() => open(true)));
    asked = 0;
    await broker.aclChanged({ token: 'alice' });
    await clock.settle();
    expect(asked).toBe(1);
    // Whose stream has ended is asked no more.
    shared[2]?.close();
    await broker.aclChanged({ token: 'alice' });
    await clock.settle();
    expect(asked).toBe(2);
  });

  it('never gives one accessor the rights of another', async () => {
    const { broker, subscribe } = newBroker();
    let who = 'alice';
    const acl = (): Acl => aclIn(['acme'], { accessorId: who, perAccessor: true });
    const subscription = await subscribe({ namespace: 'acme', acl });
    who = 'bob';
    await broker.aclChanged({ token: 'alice' });
    await clock.settle();
    expect(() => subscription.poll()).toThrowError(expect.objectContaining({ code: 'acl_revoked' }));
  });

  it('ends the stream when its answer expires', async () => {
    const { subscribe } = newBroker();
    const acl = (): Acl => aclIn(['acme'], { accessorId: 'alice', expiresAt: clock.now() + 500 });
    const subscription = await subscribe({ namespace: 'acme', acl });
    await clock.advance(501);
    expect(() => subscription.poll()).toThrowError(expect.objectContaining({ code: 'acl_expired' }));
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no database')), 'no database'],
    ['answers with nothing', () => undefined, 'got undefined'],
    ['answers with a token', () => 's3cret', 'must answer with an Acl'],
    ['answers with a plain object', () => ({ namespace: {} }), 'must answer with an Acl'],
  ])('that %s opens nothing, and the host is told', async (_, acl, text) => {
    const { broker, denials, subscribe } = newBroker();
    expect(await codeOf(subscribe({ namespace: 'acme', acl: acl as never }))).toBe('acl_unavailable');
    expect(broker.stats().subscriptions).toBe(0);
    expect(messageOf(denials)).toContain(text);
  });

  it('that throws later ends the stream alone, and the host is told', async () => {
    const { broker, subscribe, order } = newBroker();
    const revoked: BrokerError[] = [];
    broker.on('revoked', ({ error }) => void revoked.push(error));
    const other = await subscribe({ namespace: 'acme', acl: () => aclIn(['acme'], { accessorId: 'bob' }) });
    const answers = [() => aclIn(['acme']), () => Promise.reject(new Error('no database'))];
    const subscription = await subscribe({ namespace: 'acme', acl: () => (answers.shift() as () => Acl)() });
    await broker.aclChanged({ token: 'alice' });
    await order('acme');
    await clock.settle();
    expect(() => subscription.poll()).toThrowError(expect.objectContaining({ code: 'acl_unavailable' }));
    expect(((revoked[0] as BrokerError).cause as BrokerError).cause).toMatchObject({ message: 'no database' });
    expect(keysOf(other)).toEqual(['acme o1']);
  });

  it('that never answers opens nothing after a while', async () => {
    const { broker, denials, subscribe } = newBroker();
    const opening = codeOf(subscribe({ namespace: 'acme', acl: () => new Promise<never>(() => undefined) }));
    await clock.advance(1001);
    expect(await opening).toBe('acl_unavailable');
    expect(broker.stats().subscriptions).toBe(0);
    expect(denials).toHaveLength(1);
  });

  it.each(['management', 7, {}, null])('%s is no acl', async (acl) => {
    const { broker, subscribe } = newBroker();
    await expect(subscribe({ acl: acl as never })).rejects.toThrowError(TypeError);
    expect(broker.stats().subscriptions).toBe(0);
  });
});

describe('scope allowed', () => {
  it('gives what is allowed, without naming it', async () => {
    const { subscribe, order } = newBroker();
    const subscription = await subscribe({ scope: 'allowed', acl: aclIn(['acme', 'beta']) });
    for (const tenant of ['acme', 'gamma', 'beta']) await order(tenant);
    expect(keysOf(subscription)).toEqual(['acme o1', 'beta o1']);
  });

  it('stands in the namespaces that it may see: what is published elsewhere costs nothing for it', async () => {
    const { broker, subscribe, order } = newBroker();
    await subscribe({ scope: 'allowed', acl: aclIn(['acme', 'beta']) });
    await broker.subscribe({ topics: ['Order'], namespace: ['acme', 'beta'], acl: Acl.management });
    await order('acme');
    // Equal to what somebody asks for by name, and so shared.
    expect(broker.stats().interests).toBe(1);
  });

  it('leaves out topics that are not allowed', async () => {
    const { broker } = newBroker();
    const subscription = await broker.subscribe({ scope: 'allowed', acl: aclIn(['acme']) });
    await broker.publish([
      { topic: 'Audit', type: 'x', key: 'a', namespace: 'acme', payload: null },
      { topic: 'Order', type: 'x', key: 'o', namespace: 'acme', payload: { owner: 'alice' } },
    ]);
    expect(subscription.poll()?.events.map(({ key }) => key)).toEqual(['o']);
  });

  it('is denied where nothing is left', async () => {
    const { subscribe } = newBroker();
    expect(await codeOf(subscribe({ scope: 'allowed', acl: aclIn([]) }))).toBe('permission_denied');
    expect(await codeOf(subscribe({ scope: 'allowed', namespace: 'gamma', acl: aclIn(['acme']) }))).toBe(
      'permission_denied',
    );
  });

  it('follows rights that widen and narrow, each from its change on, and ends when nothing is left', async () => {
    const { broker, subscribe, order } = newBroker();
    let tenants: readonly string[] = ['acme'];
    const subscription = await subscribe({ scope: 'allowed', acl: () => aclIn(tenants) });
    const change = async (...now: readonly string[]): Promise<void> => {
      tenants = now;
      await broker.aclChanged({ token: 'alice' });
      await clock.settle();
    };
    await order('acme', '1');
    await order('beta', '1');
    await change('acme', 'beta');
    await order('acme', '2');
    await order('beta', '2');
    await change('beta');
    await order('acme', '3');
    await order('beta', '3');
    // It has not read until now: what it was allowed to see when it was published is there, and nothing else.
    expect(keysOf(subscription)).toEqual(['acme 1', 'acme 2', 'beta 2', 'beta 3']);
    await order('beta', '4');
    await change();
    await order('beta', '5');
    expect(subscription.poll()?.events[0]?.key).toBe('4');
    expect(() => subscription.poll()).toThrowError(expect.objectContaining({ code: 'acl_revoked' }));
    expect(broker.stats().interests).toBe(0);
  });

  it('is told a gap when more changes wait than are kept, and nothing above one of them is lost', async () => {
    const { broker, subscribe, order } = newBroker();
    let tenants: readonly string[] = ['acme'];
    const subscription = await subscribe({ scope: 'allowed', acl: () => aclIn(tenants) });
    for (let i = 0; i < 20; i++) {
      await order('acme', String(i));
      tenants = i % 2 === 0 ? ['acme', 'beta'] : ['acme'];
      await broker.aclChanged({ token: 'alice' });
      await clock.settle();
    }
    const first = subscription.poll();
    expect(first?.gap).toMatchObject({ from: 1, reason: 'slow' });
    expect(first?.index).toBe((first?.gap?.to ?? 0) + 1);
    expect(keysOf(subscription)).toHaveLength(20 - (first?.index ?? 0));
    subscription.close();
    expect(broker.stats().interests).toBe(0);
  });

  it('without it, all namespaces stay refused to somebody who has some', async () => {
    const { subscribe } = newBroker();
    expect(await codeOf(subscribe({ namespace: '*', acl: aclIn(['acme', 'beta']) }))).toBe('permission_denied');
  });

  it('is one of two words', async () => {
    const { subscribe } = newBroker();
    await expect(subscribe({ scope: 'some' as never })).rejects.toThrow('scope must be "all" or "allowed"; got "some"');
  });
});

describe('a rule of a topic', () => {
  const mine = (owner: string) => ({ topic: 'Mine', type: 'x', key: owner, payload: { owner } }) as const;
  const claiming = (userId: unknown): Acl => Acl.fromRules([], { accessorId: String(userId), claims: { userId } });

  it('shows each what is theirs', async () => {
    const { broker } = newBroker();
    const [alice, bob] = await Promise.all(
      ['alice', 'bob'].map((userId) => broker.subscribe({ topics: ['Mine'], acl: claiming(userId) })),
    );
    await broker.publish([mine('alice'), mine('bob'), mine('carol')]);
    expect(alice?.poll()?.events.map(({ key }) => key)).toEqual(['alice']);
    expect(bob?.poll()?.events.map(({ key }) => key)).toEqual(['bob']);
  });

  it('is asked once for all who have the same claims, in whatever order those stand', async () => {
    const { broker } = newBroker();
    const acls = [
      { userId: 'alice', plan: 'free' },
      { plan: 'free', userId: 'alice' },
    ].map((claims, i) => Acl.fromRules([], { accessorId: `session-${i}`, claims }));
    for (const acl of acls) await broker.subscribe({ topics: ['Mine'], acl });
    expect(broker.stats().interests).toBe(1);
  });

  it('is not asked for topics without one: claims are no reason not to share', async () => {
    const { broker, subscribe } = newBroker();
    for (const userId of ['alice', 'bob'])
      await subscribe({ namespace: 'acme', acl: aclIn(['acme'], { accessorId: userId, claims: { userId } }) });
    expect(broker.stats().interests).toBe(1);
  });

  it('hides all from who has no claims, and nothing from management', async () => {
    const { broker, failures } = newBroker();
    const none = await broker.subscribe({ topics: ['Mine'], acl: aclIn(['acme']) });
    const management = await broker.subscribe({ topics: ['Mine'], acl: Acl.management });
    await broker.publish(mine('alice'));
    expect(none.poll()).toBeUndefined();
    expect(management.poll()?.events).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it.each([
    ['Throwing', 'no such column'],
    ['Promising', 'must answer true or false; got a promise'],
    ['Mutating', 'read only'],
  ] as const)('that fails (%s) hides the event, and is told once a minute', async (topic, text) => {
    const { broker, failures } = newBroker();
    const subscription = await broker.subscribe({ topics: [topic], acl: claiming('alice') });
    const event = { topic, type: 'x', key: 'k', payload: null } as const;
    for (let i = 0; i < 3; i++) await broker.publish(event);
    expect(subscription.poll()).toBeUndefined();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ topic, accessorId: 'alice' });
    expect(String(failures[0]?.error)).toContain(text);
    expect(broker.stats().ruleFaults).toBeGreaterThanOrEqual(3);
    await clock.advance(60_000);
    await broker.publish(event);
    expect(failures).toHaveLength(2);
  });

  it.each([
    ['a date', { since: new Date() }, 'claims.since'],
    ['a function', { is: () => true }, 'claims.is'],
    ['a class', { map: new Map() }, 'claims.map'],
    ['NaN', { limit: Number.NaN }, 'claims.limit'],
    ['a bigint', { id: 1n }, 'claims.id'],
  ])('whose claims hold %s shows nothing, and is told', async (_, claims, place) => {
    const { broker, failures } = newBroker();
    const acl = Acl.fromRules([], { accessorId: 'alice', claims: { userId: 'alice', ...claims } });
    const subscription = await broker.subscribe({ topics: ['Mine'], acl });
    await broker.publish(mine('alice'));
    expect(subscription.poll()).toBeUndefined();
    expect(String(failures[0]?.error)).toContain(`${place} must be plain JSON`);
  });

  it('that holds itself shows nothing, and is told', async () => {
    const { broker, failures } = newBroker();
    const claims: Record<string, unknown> = {};
    claims['self'] = claims;
    const subscription = await broker.subscribe({ topics: ['Mine'], acl: Acl.fromRules([], { claims }) });
    await broker.publish(mine('alice'));
    expect(subscription.poll()).toBeUndefined();
    expect(String(failures[0]?.error)).toContain('deeper');
  });

  it('follows claims that change, from the change on', async () => {
    const { broker } = newBroker();
    let userId = 'alice';
    const acl = (): Acl => Acl.fromRules([], { accessorId: 'session', claims: { userId } });
    const subscription = await broker.subscribe({ topics: ['Mine'], acl });
    await broker.publish([mine('alice'), mine('bob')]);
    userId = 'bob';
    await broker.aclChanged({ token: 'session' });
    await broker.publish([mine('alice'), mine('bob')]);
    await clock.settle();
    expect(subscription.poll()?.events.map(({ key }) => key)).toEqual(['alice']);
    expect(subscription.poll()?.events.map(({ key }) => key)).toEqual(['bob']);
  });

  it('is a function', () => {
    expect(() => defineTopics({ Order: { visible: 'mine' as never } })).toThrow(
      'Topic "Order": visible must be a function of claims and event; got "mine".',
    );
  });
});

describe('a pin', () => {
  const pinned = { namespace: ['acme', 'beta'], topics: ['Order'] } as const;

  it('is what is given where nothing is asked for', async () => {
    const { broker, order } = newBroker();
    const subscription = await broker.subscribe({ pin: pinned });
    for (const tenant of ['acme', 'gamma', 'beta']) await order(tenant);
    expect(keysOf(subscription as unknown as Subscription)).toEqual(['acme o1', 'beta o1']);
  });

  it('lets less be asked for', async () => {
    const { subscribe, order } = newBroker();
    const subscription = await subscribe({ pin: pinned, namespace: 'beta', topics: ['Order:o2'] });
    for (const key of ['o1', 'o2']) await order('beta', key);
    await order('acme', 'o2');
    expect(keysOf(subscription)).toEqual(['beta o2']);
  });

  it.each([
    { namespace: 'gamma' },
    { namespace: ['acme', 'gamma'] },
    { namespace: '*' },
    { topics: ['Audit'] },
    { topics: ['*'] },
    { topics: ['*:o1'] },
  ] as SubscribeOptions<never>[])('denies what lies outside: %j', async (asked) => {
    const { broker, denials } = newBroker();
    expect(await codeOf(broker.subscribe({ pin: pinned, ...asked }))).toBe('permission_denied');
    expect(denials).toHaveLength(1);
    expect(messageOf(denials)).toContain('pinned');
  });

  it('is the host’s: one that is none is told to the host alone', async () => {
    const { broker, denials } = newBroker();
    const opening = broker.subscribe({ pin: { topics: ['Ordr'] as never } });
    await expect(opening).rejects.toMatchObject({ code: 'internal' });
    await expect(opening).rejects.not.toThrow('Ordr');
    expect(messageOf(denials)).toContain('unknown topic "Ordr"');
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no tenant')), 'no tenant'],
    ['misspells', () => ({ namespaces: 'acme' }), 'Did you mean "namespace"?'],
    ['answers with nonsense', () => 'acme', 'pin takes an object of options'],
  ])('of a function that %s is told to the host alone', async (_, pin, text) => {
    const { broker, denials } = newBroker();
    expect(await codeOf(broker.subscribe({ pin: pin as never }))).toBe('internal');
    expect(messageOf(denials)).toContain(text);
  });

  it('of a function that never answers is given up', async () => {
    const { broker } = newBroker();
    const opening = codeOf(broker.subscribe({ pin: () => new Promise<never>(() => undefined) }));
    await clock.advance(1001);
    expect(await opening).toBe('internal');
  });

  it('of a function that answers with nothing pins nothing', async () => {
    const { broker } = newBroker();
    const subscription = await broker.subscribe({ topics: ['Order'], pin: () => undefined });
    expect(subscription.state).toBe('synced');
  });

  it('of a function is asked again with the rights: who is moved is moved in the open stream', async () => {
    const { broker, subscribe, order } = newBroker();
    let tenant = 'acme';
    const acl = (): Acl => aclIn(['acme', 'beta']);
    const subscription = await subscribe({ pin: () => ({ namespace: tenant }), acl });
    await order('acme', '1');
    await order('beta', '1');
    tenant = 'beta';
    await broker.aclChanged({ token: 'alice' });
    await order('acme', '2');
    await order('beta', '2');
    await clock.settle();
    expect(keysOf(subscription)).toEqual(['acme 1', 'beta 2']);
  });

  it.each<[string, () => unknown, string]>([
    ['throws', () => Promise.reject(new Error('no tenant')), 'acl_unavailable'],
    ['is none', () => ({ topics: ['Ordr'] }), 'acl_unavailable'],
    ['leaves out what was asked for', () => ({ namespace: 'beta' }), 'acl_revoked'],
    ['finds no room', () => ({ namespace: 'acme', topics: ['Order:o1', 'Mine', 'Audit'] }), 'acl_unavailable'],
  ])('of a function that later %s ends the stream', async (_, later, code) => {
    const broker = new EventBroker({ topics, clock, limits: { placesInAll: 2 } });
    const answers: (() => unknown)[] = [() => ({ namespace: 'acme', topics: ['Order'] }), later];
    const acl = Acl.fromRules([], { management: true, accessorId: 'alice' });
    const asked = code === 'acl_revoked' ? { namespace: 'acme' } : {};
    const subscription = await broker.subscribe({ ...asked, acl: () => acl, pin: () => answers.shift()?.() as never });
    await broker.aclChanged({ token: 'alice' });
    await clock.settle();
    expect(() => subscription.poll()).toThrowError(expect.objectContaining({ code }));
    expect(broker.stats()).toMatchObject({ subscriptions: 0, interests: 0 });
  });

  it('says the scope too', async () => {
    const { subscribe, order } = newBroker();
    const subscription = await subscribe({ pin: { scope: 'allowed' }, acl: aclIn(['acme', 'beta']) });
    for (const tenant of ['acme', 'gamma', 'beta']) await order(tenant);
    expect(keysOf(subscription)).toEqual(['acme o1', 'beta o1']);
  });
});

it('acl and token are two ways to say one thing, and only one can count', async () => {
  const { broker } = newBroker();
  const both = { acl: Acl.management, token: 's3cret' };
  await expect(broker.subscribe({ topics: ['Order'], ...both })).rejects.toThrow('acl or token, one of them');
});

it('an unknown topic outside a pin is denied, and tells no names of topics', async () => {
  const { broker } = newBroker();
  const opening = broker.subscribe({ topics: ['Secrets' as 'Order'], pin: { topics: ['Order'] } });
  await expect(opening).rejects.toMatchObject({ code: 'permission_denied', message: 'Permission denied.' });
});

describe('a token found by a function', () => {
  it('that is no text is told to the host alone', async () => {
    const { broker, denials } = newBroker();
    expect(await codeOf(broker.subscribe({ token: (() => 7) as never }))).toBe('internal');
    expect(messageOf(denials)).toContain('token must find a text');
  });
});

describe('why somebody was refused', () => {
  it('is told to the host with the denial: who, which topic, what it needs, and what answered', async () => {
    const { denials, subscribe } = newBroker();
    await codeOf(subscribe({ namespace: ['acme', 'gamma'], acl: aclIn(['acme']) }));
    expect(denials).toMatchObject([
      {
        topics: 'Order:*',
        namespaces: ['acme', 'gamma'],
        accessorId: 'alice',
        finding: {
          topic: 'Order',
          requirement: { namespace: 'read-orders' },
          namespace: 'gamma',
          reason: 'No rule applies to namespace "gamma".',
        },
      },
    ]);
  });

  it('is explained for an Acl, a function, and a broker without any', async () => {
    const { broker } = newBroker();
    const asked = { topics: ['Order'], namespace: ['acme', 'gamma'] } as const;
    for (const acl of [aclIn(['acme']), () => aclIn(['acme']), async () => aclIn(['acme'])]) {
      const explained = await broker.explain({ ...asked, acl });
      expect(explained).toMatchObject({ token: 'client', accessorId: 'alice', isAllowed: false });
      expect(explained.findings.map(({ isMet, reason }) => [isMet, reason])).toEqual([
        [true, 'The rule namespace "acme" grants read-orders.'],
        [false, 'No rule applies to namespace "gamma".'],
      ]);
    }
    expect(await broker.explain(asked)).toMatchObject({ token: 'management', isAllowed: true });
    const late = aclIn(['acme'], { accessorId: 'alice', expiresAt: clock.now() });
    expect(await broker.explain({ ...asked, acl: late })).toMatchObject({ token: 'expired', isAllowed: false });
  });

  it('is explained for an event too: what the topic’s rule answers of it', async () => {
    const { broker, failures } = newBroker();
    const acl = Acl.fromRules([], { accessorId: 'alice', claims: { userId: 'alice' } });
    const about = (topic: 'Mine' | 'Throwing', owner: string) =>
      broker.explain({ topics: [topic], acl }, { topic, type: 'x', key: 'k', payload: { owner } });
    expect((await about('Mine', 'alice')).rules).toEqual([
      { topic: 'Mine', isVisible: true, reason: 'The rule answered true.' },
    ]);
    expect((await about('Mine', 'bob')).rules).toMatchObject([
      { isVisible: false, reason: 'The rule answered false.' },
    ]);
    expect((await about('Throwing', 'alice')).rules).toMatchObject([
      { isVisible: false, reason: 'The rule failed: no such column' },
    ]);
    const none = await broker.explain(
      { topics: ['Mine'], acl: aclIn([]) },
      { topic: 'Mine', type: 'x', key: 'k', payload: { owner: 'alice' } },
    );
    expect(none.rules).toMatchObject([{ isVisible: false, reason: expect.stringContaining('no claims') as string }]);
    // An explanation is no failure that anybody has to look after.
    expect(failures).toEqual([]);
    expect(broker.stats().ruleFaults).toBe(0);
  });
});
