import { describe, expect, it } from 'vitest';
import { Acl } from '../../src/acl/acl.ts';
import { ndjsonStream } from '../../src/adapters/ndjson.ts';
import type { BrokerError } from '../../src/model/errors.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import { nomadEvents, nomadRights } from '../../src/nomad/index.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { AclWorld, readIn, secretOf, TIMEOUT_MS } from './acl-world.ts';
import { drain, failureOf } from './reading.ts';
import type { Rights } from '../../src/acl/rights.ts';

const rights: Rights = nomadRights;

/** Token `t` with policy `p` of its own and role `r` with policy `q`; token `other` is not concerned. */
function worldWith(
  given: { policies?: string[]; roles?: string[]; expiresInMs?: number } = { policies: ['p'] },
): AclWorld {
  const world = new AclWorld();
  world.policy('p', readIn('default'));
  world.policy('q', readIn('default'));
  world.policy('empty', readIn('prod'));
  world.role('r', 'q');
  world.token('t', given);
  world.policy('of other', readIn('default'));
  world.token('other', { policies: ['of other'] });
  return world;
}

const revoked = { code: 'acl_revoked', retry: 'resubscribe' };

interface RevokingChange {
  readonly name: string;
  readonly given?: { policies?: string[]; roles?: string[] };
  readonly change: (world: AclWorld) => Promise<unknown>;
}

const changes: readonly RevokingChange[] = [
  {
    name: 'its token is deleted',
    change: (world) => {
      world.records.deleteToken('t');
      return world.broker.publish(nomadEvents.aclTokenDeleted({ AccessorID: 't' }));
    },
  },
  {
    name: 'its token loses the policy',
    change: (world) => {
      world.token('t', { policies: ['empty'] });
      return world.tokenChanged('t');
    },
  },
  {
    name: 'its token’s roles change',
    given: { roles: ['r'] },
    change: (world) => {
      world.token('t', { roles: ['another'] });
      return world.tokenChanged('t');
    },
  },
  {
    name: 'its policy is deleted',
    change: (world) => {
      world.records.deletePolicy('p');
      return world.broker.publish(nomadEvents.aclPolicyDeleted({ Name: 'p' }));
    },
  },
  {
    name: 'its policy is rewritten without the namespace',
    change: (world) => {
      world.policy('p', readIn('prod'));
      return world.policyChanged('p');
    },
  },
  {
    name: 'its policy is rewritten to deny',
    change: (world) => {
      world.policy('p', { namespace: { '*': { policy: 'read' }, default: { policy: 'deny' } } });
      return world.policyChanged('p');
    },
  },
  {
    name: 'its role loses the policy',
    given: { roles: ['r'] },
    change: (world) => {
      world.role('r', 'empty');
      return world.roleChanged('r');
    },
  },
  {
    name: 'its role is deleted',
    given: { roles: ['r'] },
    change: (world) => {
      world.records.deleteRole('r');
      return world.broker.publish(nomadEvents.aclRoleDeleted({ ID: 'r' }));
    },
  },
  {
    name: 'the policy of its role is rewritten',
    given: { roles: ['r'] },
    change: (world) => {
      world.policy('q', {});
      return world.policyChanged('q');
    },
  },
  {
    name: 'a policy that did not exist comes to be, and denies',
    given: { policies: ['p', 'to come'] },
    change: (world) => {
      world.policy('to come', { namespace: { default: { policy: 'deny' } } });
      return world.policyChanged('to come');
    },
  },
  {
    name: 'a role that did not exist comes to be, and denies',
    given: { policies: ['p'], roles: ['to come'] },
    change: (world) => {
      world.policy('deny', { namespace: { default: { policy: 'deny' } } });
      world.role('to come', 'deny');
      return world.roleChanged('to come');
    },
  },
  {
    name: 'the change is told by aclChanged',
    change: (world) => {
      world.policy('p', {});
      return world.broker.aclChanged({ policy: 'p' });
    },
  },
  {
    name: 'the change is one of several told by aclChanged',
    change: (world) => {
      world.records.deleteToken('t');
      return world.broker.aclChanged([{ policy: 'unrelated' }, { role: 'unrelated' }, { token: 't' }]);
    },
  },
  {
    name: 'the change comes in one batch with other events',
    change: (world) => {
      world.records.deletePolicy('p');
      return world.broker.publish([nomadEvents.nodeEvent({ ID: 'n' }), nomadEvents.aclPolicyDeleted({ Name: 'p' })]);
    },
  },
];

describe.each(changes)('when $name', ({ given, change }) => {
  it('a subscription gets what was published before, nothing after, and the reason', async () => {
    const world = worldWith(given);
    const subscription = await world.subscribe('t');
    const bystander = await world.subscribe('other');
    const before = await world.jobs(2);
    await change(world);
    const after = await world.jobs(2);
    await world.clock.settle();
    const { indexes, error } = drain(subscription);
    expect(indexes).toEqual(before);
    expect(error).toMatchObject(revoked);
    expect(drain(bystander)).toMatchObject({ indexes: [...before, ...after], error: undefined });
    expect(world.broker.stats()).toMatchObject({ subscriptions: 1, revokedSubscriptions: 1 });
    expect(world.clock.timers).toBe(0);
  });

  it('a reader that waits is rejected, although nothing is published', async () => {
    const world = worldWith(given);
    const subscription = await world.subscribe('t');
    const waiting = failureOf(() => subscription.next());
    await change(world);
    expect(await waiting).toMatchObject(revoked);
  });

  it('a stream of bytes ends with the reason as its last line', async () => {
    const world = worldWith(given);
    const stream = ndjsonStream(await world.subscribe('t'));
    const before = await world.jobs(2);
    await change(world);
    await world.jobs(2);
    await world.clock.settle();
    const lines = String(Buffer.concat((await stream.toArray()) as Buffer[]))
      .trimEnd()
      .split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as { Index?: number; Error?: { Code: string; Retry: string } });
    expect(parsed.flatMap(({ Index }) => Index ?? [])).toEqual(before);
    expect(parsed.at(-1)?.Error).toMatchObject({ Code: 'acl_revoked', Retry: 'resubscribe' });
    expect(world.clock.timers).toBe(0);
  });

  it('a new subscription is denied', async () => {
    const world = worldWith(given);
    await change(world);
    expect((await failureOf(() => world.subscribe('t'))).code).toBe('permission_denied');
  });
});

describe('a subscription that is still allowed after a change', () => {
  it.each<[string, (world: AclWorld) => Promise<unknown>]>([
    [
      'a role gains a policy',
      (world) => {
        world.role('r', 'q', 'empty');
        return world.roleChanged('r');
      },
    ],
    [
      'a role loses one of two policies that allow it',
      (world) => {
        world.role('r', 'empty');
        return world.roleChanged('r');
      },
    ],
    [
      'its policy is rewritten with more',
      (world) => {
        world.policy('p', { ...readIn('default', 'prod'), node: { policy: 'read' } });
        return world.policyChanged('p');
      },
    ],
    ['nothing that counts changed', (world) => world.tokenChanged('t')],
    [
      'its token becomes a management token',
      (world) => {
        world.token('t', { management: true });
        return world.tokenChanged('t');
      },
    ],
  ])('goes on without loss and without repeat: %s', async (_, change) => {
    const world = worldWith({ policies: ['p'], roles: ['r'] });
    const subscription = await world.subscribe('t');
    const bytes = ndjsonStream(await world.subscribe('t'));
    const indexes = [...(await world.jobs(2))];
    const first = subscription.poll()?.index;
    world.store.hold();
    await change(world);
    indexes.push(...(await world.jobs(2)));
    await world.clock.settle();
    expect(drain(subscription).indexes).toEqual(indexes.slice(1, 2));
    expect(subscription.state).toBe('unsynced');
    world.store.recover();
    await world.clock.settle();
    indexes.push(...(await world.jobs(2)));
    const { indexes: rest, gaps, error } = drain(subscription);
    expect([first, indexes[1], ...rest]).toEqual(indexes);
    expect([gaps, error]).toEqual([[], undefined]);
    await world.broker.close();
    const text = String(Buffer.concat((await bytes.toArray()) as Buffer[]));
    expect([...text.matchAll(/^\{"Index":(\d+)/gm)].map(([, index]) => Number(index))).toEqual(indexes);
  });

  it('sees less of the namespaces when a closer deny comes, from the change on', async () => {
    const world = worldWith();
    world.policy('p', readIn('*'));
    const subscription = await world.subscribe('t', { namespace: '*' });
    const stream = ndjsonStream(await world.subscribe('t', { namespace: '*' }));
    await world.job('secret');
    expect(drain(subscription).indexes).toEqual([1]);
    await world.clock.settle();
    world.policy('p', { namespace: { '*': { policy: 'read' }, secret: { policy: 'deny' } } });
    await world.policyChanged('p');
    await world.job('secret');
    await world.job('open');
    await world.clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: [4], error: undefined });
    await world.broker.close();
    const text = String(Buffer.concat((await stream.toArray()) as Buffer[]));
    expect([...text.matchAll(/^\{"Index":(\d+)/gm)].map(([, index]) => Number(index))).toEqual([1, 4]);
  });

  it('gets what a change lets it see from then on, and is not asked to come again', async () => {
    const world = worldWith();
    world.policy('p', { namespace: { '*': { policy: 'read' }, secret: { policy: 'deny' } } });
    const subscription = await world.subscribe('t', { namespace: '*', index: 'latest' });
    await world.job('secret');
    world.policy('p', readIn('*'));
    await world.policyChanged('p');
    await world.clock.settle();
    expect(drain(subscription).error).toBeUndefined();
    await world.job('secret');
    expect(drain(subscription).indexes).toContain(3);
  });
});

describe('a change that concerns others', () => {
  it('is not noticed: no look-up, no fence', async () => {
    const world = worldWith();
    const subscription = await world.subscribe('t');
    const { lookUps } = world.store;
    world.store.failWith();
    await world.policyChanged('q');
    await world.roleChanged('r');
    await world.tokenChanged('other');
    await world.job();
    expect(drain(subscription).indexes).toEqual([4]);
    await world.clock.settle();
    expect(subscription.state).toBe('synced');
    expect(world.store.lookUps).toBe(lookUps);
  });

  it('costs each token one resolution, however many subscriptions it has', async () => {
    const world = worldWith();
    world.token('t2', { policies: ['p'] });
    const subscriptions = [];
    for (const who of ['t', 't2', 'other'])
      for (let i = 0; i < 10; i++)
        subscriptions.push(await world.subscribe(who, { topics: [`Job:${i}`, 'Job:web'] as never }));
    const { lookUps } = world.store;
    await world.policyChanged('p');
    await world.clock.settle();
    // The token and its policy, for two tokens.
    expect(world.store.lookUps - lookUps).toBe(4);
    await world.job();
    for (const subscription of subscriptions) expect(drain(subscription).indexes).toEqual([2]);
  });
});

describe('the fence holds', () => {
  it('while the store is slow: nothing above the change, all of it once allowed', async () => {
    const world = worldWith();
    const subscription = await world.subscribe('t');
    world.store.delayBy(TIMEOUT_MS - 100);
    const before = await world.jobs(1);
    await world.policyChanged('p');
    const after = await world.jobs(3);
    await world.clock.settle();
    expect(drain(subscription).indexes).toEqual(before);
    world.store.recover();
    await world.clock.advance(TIMEOUT_MS);
    expect(drain(subscription)).toMatchObject({ indexes: after, error: undefined });
  });

  it('when the store fails: the subscription ends with advice to resume where it was', async () => {
    const world = worldWith();
    const subscription = await world.subscribe('t');
    const before = await world.jobs(2);
    world.store.failWith();
    const index = await world.policyChanged('p');
    await world.jobs(2);
    await world.clock.settle();
    const { indexes, error } = drain(subscription);
    expect(indexes).toEqual(before);
    expect(error).toMatchObject({ code: 'acl_unavailable', retry: 'resume', status: 503 });
    expect(error?.index).toBeGreaterThanOrEqual(before.at(-1) ?? 0);
    expect(error?.index).toBeLessThanOrEqual(index);
  });

  it('when the store does not answer in time: it ends then, not before', async () => {
    const world = worldWith();
    const subscription = await world.subscribe('t');
    world.store.hold();
    await world.policyChanged('p');
    await world.job();
    await world.clock.advance(TIMEOUT_MS - 1);
    expect(drain(subscription)).toMatchObject({ indexes: [], error: undefined });
    await world.clock.advance(1);
    expect(drain(subscription).error).toMatchObject({ code: 'acl_unavailable', retry: 'resume' });
    world.store.recover();
    await world.clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: [], error: { code: 'acl_unavailable' } });
    expect(world.clock.timers).toBe(0);
  });

  it('over a burst of changes: the last one counts, and what was asked before it does not', async () => {
    const world = worldWith();
    const subscription = await world.subscribe('t');
    world.store.hold('after-reading');
    await world.policyChanged('p');
    await world.clock.settle();
    // The first answer was read before this, and still says that all is well.
    expect(world.store.held).toBeGreaterThan(0);
    for (let i = 0; i < 5; i++) {
      await world.policyChanged('p');
      await world.job();
    }
    world.policy('p', {});
    await world.policyChanged('p');
    await world.job();
    world.store.release(1);
    await world.clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: [], error: undefined });
    world.store.recover();
    await world.clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: [], error: revoked });
  });

  it('for a change to what the new rights rest on, and the old ones did not, while they are being resolved', async () => {
    const world = worldWith({ policies: ['p'] });
    const subscription = await world.subscribe('t');
    world.store.hold('after-reading');
    world.token('t', { roles: ['r'] });
    await world.tokenChanged('t');
    await world.clock.settle();
    world.store.release();
    await world.clock.settle();
    // The role was read, with its policy; the answer is on its way when the role goes.
    expect(world.store.held).toBe(1);
    world.records.deleteRole('r');
    await world.roleChanged('r');
    await world.job();
    world.store.recover();
    await world.clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: [], error: revoked });
  });

  it('at the first change of a burst, although all of them leave it allowed', async () => {
    const world = worldWith();
    const subscription = await world.subscribe('t');
    world.store.hold();
    const indexes: number[] = [];
    for (let i = 0; i < 3; i++) {
      await world.policyChanged('p');
      indexes.push(await world.job());
      expect(drain(subscription).indexes).toEqual([]);
    }
    world.store.recover();
    await world.clock.settle();
    expect(drain(subscription).indexes).toEqual(indexes);
  });

  it('when rights come back during a burst: nothing was lost', async () => {
    const world = worldWith();
    const subscription = await world.subscribe('t');
    world.store.hold();
    world.policy('p', {});
    await world.policyChanged('p');
    const lost = await world.job();
    world.policy('p', readIn('default'));
    await world.policyChanged('p');
    const after = await world.job();
    world.store.recover();
    await world.clock.settle();
    const { indexes, error } = drain(subscription);
    expect(error).toBeUndefined();
    expect(indexes).toEqual([lost, after]);
  });

  it('for a change while the subscription is being opened', async () => {
    const world = worldWith();
    world.store.hold('after-reading');
    const opening = failureOf(() => world.subscribe('t'));
    await world.clock.settle();
    world.store.release();
    await world.clock.settle();
    // The token and its policy were read; the answer about the policy is on its way.
    expect([world.store.lookUps, world.store.held]).toEqual([2, 1]);
    world.policy('p', {});
    await world.policyChanged('p');
    world.store.recover();
    expect((await opening).code).toBe('permission_denied');
    expect(world.broker.stats().subscriptions).toBe(0);
  });

  it('for a change between the answer of the store and the subscription', async () => {
    const world = worldWith();
    const opening = failureOf(() => world.subscribe('t'));
    // The memory store has answered by now; the promises in between have not all run.
    await null;
    world.policy('p', {});
    const changed = world.policyChanged('p');
    expect((await opening).code).toBe('permission_denied');
    await changed;
  });

  it('while the subscription is replaying: history up to the change, nothing above', async () => {
    const world = worldWith();
    const before = await world.jobs(500);
    const stream = ndjsonStream(await world.subscribe('t', { index: 1 }), { highWaterMarkBytes: 1 });
    const subscription = await world.subscribe('t', { index: 1 });
    expect(subscription.poll()?.index).toBe(1);
    world.policy('p', {});
    await world.policyChanged('p');
    await world.jobs(5);
    await world.clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: before.slice(1), error: revoked });
    const text = String(Buffer.concat((await stream.toArray()) as Buffer[]));
    const read = [...text.matchAll(/^\{"Index":(\d+)/gm)].map(([, index]) => Number(index));
    expect(read).toEqual(before.slice(0, read.length));
    expect(text).toMatch(/"Code":"acl_revoked".*\n$/);
  });

  it('for a client that reads slowly, and for one that does not read at all', async () => {
    const world = worldWith();
    const stream = ndjsonStream(await world.subscribe('t'), { highWaterMarkBytes: 1 });
    const before = await world.jobs(3);
    await world.clock.settle();
    world.policy('p', {});
    await world.policyChanged('p');
    await world.jobs(3);
    await world.clock.settle();
    expect(world.broker.stats().subscriptions).toBe(0);
    const text = String(Buffer.concat((await stream.toArray()) as Buffer[]));
    const read = [...text.matchAll(/^\{"Index":(\d+)/gm)].map(([, index]) => Number(index));
    expect(read).toEqual(before.slice(0, read.length));
    expect(text).toMatch(/"Code":"acl_revoked".*\n$/);
  });

  it('when the change is committed by publish itself: no check sees what was there before', async () => {
    const world = worldWith();
    const subscription = await world.subscribe('t');
    const publishing = world.broker.publish(nomadEvents.aclPolicyUpserted({ Name: 'p' }), {
      commit: async () => {
        await null;
        world.policy('p', {});
      },
    });
    const before = await world.job();
    await publishing;
    await world.job();
    await world.clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: [before], error: revoked });
  });

  it('for the readers without a token, when the anonymous policy goes', async () => {
    const world = worldWith();
    world.policy('anonymous', readIn('default'));
    const subscription = await world.subscribe(undefined);
    const before = await world.job();
    world.records.deletePolicy('anonymous');
    await world.policyChanged('anonymous');
    await world.job();
    await world.clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: [before], error: revoked });
  });

  it('for rights that were given instead of a token, and cannot be asked for again', async () => {
    const world = worldWith();
    const acl = Acl.fromRules([readIn('default')], { rights, dependsOn: ['policy:p'] });
    const subscription = await world.subscribe(undefined, { acl });
    const before = await world.job();
    await world.policyChanged('p');
    await world.job();
    await world.clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: [before], error: revoked });
  });

  it('for management tokens too', async () => {
    const world = worldWith();
    world.token('root', { management: true });
    const subscription = await world.subscribe('root', { topics: ['*' as 'Job'] });
    world.records.deleteToken('root');
    const index = await world.tokenChanged('root');
    await world.job();
    await world.clock.settle();
    // The news of its own end is at the index of the change, not above it.
    expect(drain(subscription)).toMatchObject({ indexes: [index], error: revoked });
  });

  it('for a second subscription of the token that opens while the first one waits', async () => {
    const world = worldWith();
    const first = await world.subscribe('t');
    world.store.hold();
    await world.tokenChanged('t');
    const opening = world.subscribe('t');
    await world.job();
    await world.clock.settle();
    expect(drain(first).indexes).toEqual([]);
    world.store.recover();
    await world.clock.settle();
    expect(drain(first).indexes).toEqual([2]);
    expect(drain(await opening).indexes).toEqual([2]);
  });

  it('for a stream that opened, and is in step, while the token’s others still wait for the store', async () => {
    const clock = new VirtualClock();
    let isHanging = false;
    const acl = Acl.fromRules([], { rights, dependsOn: ['token:t'], accessorId: 't', management: true });
    const resolve = () => (isHanging ? new Promise<Acl>(() => undefined) : acl);
    const broker = new EventBroker({ acl: { resolve }, clock, reauthorizeTimeoutMs: TIMEOUT_MS });
    await broker.subscribe({ token: 'x' });
    isHanging = true;
    await broker.aclChanged({ token: 't' });
    await clock.settle();
    isHanging = false;
    const stream = ndjsonStream(await broker.subscribe({ token: 'x' }), { heartbeatMs: 0 });
    const sharer = await broker.subscribe({ acl: Acl.management });
    await clock.advance(TIMEOUT_MS);
    await broker.publish({ topic: 'Job', type: 'x', key: 'y', payload: 1 });
    await clock.settle();
    expect(drain(sharer).indexes).toEqual([1]);
    const read = stream.read() as Buffer | null;
    expect(String(read)).toMatch(/^\{"Error":\{"Code":"acl_unavailable".*\n$/);
  });

  it('for a source that throws at once, or answers with nothing to read', async () => {
    let isBroken = false;
    const source = {
      resolve: (): Acl => {
        if (isBroken) throw new Error('broken');
        return Acl.fromRules([], { rights, dependsOn: ['token:t'], accessorId: 't', management: true });
      },
    };
    const broker = new EventBroker({ acl: source });
    const subscription = await broker.subscribe({ token: 'x' });
    isBroken = true;
    await broker.aclChanged({ token: 't' });
    await broker.publish({ topic: 'Job', type: 'x', key: 'y', payload: 1 });
    await new Promise(setImmediate);
    expect(drain(subscription)).toMatchObject({ indexes: [], error: { code: 'acl_unavailable' } });
    expect((await failureOf(() => broker.subscribe({ token: 'x' }))).code).toBe('acl_unavailable');
  });
});

describe('expiry', () => {
  const expired = { code: 'acl_expired', retry: 'resubscribe' };

  it('closes the stream at its instant, although no event comes', async () => {
    const world = worldWith({ policies: ['p'], expiresInMs: 60_000 });
    const subscription = await world.subscribe('t');
    const waiting = subscription.next().then(
      () => 'value',
      (error: BrokerError) => error.code,
    );
    await world.clock.advance(59_999);
    expect(subscription.state).not.toBe('closed');
    await world.clock.advance(1);
    expect(await waiting).toBe('acl_expired');
    expect(world.broker.stats().subscriptions).toBe(0);
    expect(world.clock.timers).toBe(0);
  });

  it('lets nothing through that is published at its instant or later, also when timers are late', async () => {
    const world = worldWith({ policies: ['p'], expiresInMs: 60_000 });
    const subscription = await world.subscribe('t');
    await world.clock.advance(59_999);
    const before = await world.job();
    const { now } = world.clock;
    world.clock.now = () => now.call(world.clock) + 1;
    await world.job();
    expect(drain(subscription)).toMatchObject({ indexes: [before], error: expired });
  });

  it('that is moved nearer closes it then', async () => {
    const world = worldWith({ policies: ['p'], expiresInMs: 60_000 });
    const subscription = await world.subscribe('t');
    world.token('t', { policies: ['p'], expiresInMs: 1000 });
    await world.tokenChanged('t');
    await world.clock.advance(999);
    const before = await world.job();
    await world.clock.advance(1);
    await world.job();
    expect(drain(subscription)).toMatchObject({ indexes: [before], error: expired });
  });

  it('that is moved into the past closes it at the change', async () => {
    const world = worldWith({ policies: ['p'], expiresInMs: 60_000 });
    const subscription = await world.subscribe('t');
    const before = await world.job();
    world.token('t', { policies: ['p'], expiresInMs: -1 });
    await world.tokenChanged('t');
    await world.job();
    await world.clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: [before], error: expired });
  });

  it.each([120_000, undefined])(
    'that is moved further (%s) does not close it at the old instant',
    async (expiresInMs) => {
      const world = worldWith({ policies: ['p'], expiresInMs: 60_000 });
      const subscription = await world.subscribe('t');
      world.token('t', { policies: ['p'], ...(expiresInMs === undefined ? {} : { expiresInMs }) });
      await world.tokenChanged('t');
      await world.clock.advance(119_999);
      const index = await world.job();
      expect(drain(subscription)).toMatchObject({ indexes: [index], error: undefined });
      await world.clock.advance(1);
      expect(drain(subscription).error?.code).toBe(expiresInMs === undefined ? undefined : 'acl_expired');
    },
  );

  it('while the store is asked closes it all the same', async () => {
    const world = worldWith({ policies: ['p'], expiresInMs: 1000 });
    const subscription = await world.subscribe('t');
    world.store.hold();
    await world.tokenChanged('t');
    await world.job();
    await world.clock.advance(1000);
    expect(drain(subscription)).toMatchObject({ indexes: [], error: expired });
  });

  it('in a hundred years is waited for, and the stream goes on until then', async () => {
    const century = 100 * 365.25 * 24 * 3600 * 1000;
    const world = worldWith({ policies: ['p'], expiresInMs: century });
    const subscription = await world.subscribe('t');
    await world.clock.advance(century - 1);
    const index = await world.job();
    expect(drain(subscription)).toMatchObject({ indexes: [index], error: undefined });
    await world.clock.advance(1);
    expect(drain(subscription).error).toMatchObject(expired);
  });
});

describe('opening a subscription', () => {
  it('fails with `acl_unavailable` when the store fails, or does not answer in time', async () => {
    const world = worldWith();
    world.store.failWith();
    expect(await failureOf(() => world.subscribe('t'))).toMatchObject({ code: 'acl_unavailable', status: 503 });
    world.store.recover();
    world.store.hold();
    const opening = failureOf(() => world.subscribe('t'));
    await world.clock.advance(TIMEOUT_MS);
    expect((await opening).code).toBe('acl_unavailable');
    expect(world.broker.stats().subscriptions).toBe(0);
    expect(world.clock.timers).toBe(0);
  });

  it('costs one look-up for many that come at once with one token', async () => {
    const world = worldWith();
    await Promise.all(Array.from({ length: 20 }, () => world.subscribe('t')));
    expect(world.store.lookUps).toBe(2);
  });
});

describe('the host is told', () => {
  it('of each subscription that is revoked, by the token’s public name', async () => {
    const world = worldWith();
    const told: unknown[] = [];
    world.broker.on('revoked', ({ accessorId, topics, namespaces, error }) =>
      told.push([accessorId, topics, namespaces, error.code]),
    );
    world.broker.on('unsubscribe', ({ error }) => told.push(error?.code));
    await world.subscribe('t', { topics: ['Job:web'] as never });
    world.records.deleteToken('t');
    await world.tokenChanged('t');
    await world.clock.settle();
    expect(told).toContainEqual(['t', 'Job:web', ['default'], 'acl_revoked']);
    expect(told).toContainEqual('acl_revoked');
    expect(JSON.stringify(told)).not.toContain(secretOf('t'));
  });
});
