import { describe, expect, it, onTestFinished } from 'vitest';

import {
  Acl,
  defineTopics,
  EventBroker,
  type EventBrokerOptions,
  type EventLog,
  type SubscribeOptions,
  type Subscription,
} from '../../../src/index.ts';
import { deferred } from '../../../src/testing/deferred.ts';
import { MemoryEventLog, VirtualClock } from '../../../src/testing/index.ts';
import { drain } from '../../conformance/reading.ts';
import { logAround } from '../../logs/log-around.ts';
import { RecordingSink, shortFormat } from './recording-sink.ts';

const event = (key = 'a', payload: unknown = null) => ({ topic: 'Job', type: 'Made', key, payload });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A broker whose rights, which rest on the policy `p`, the test decides. */
function makeWorld(options: EventBrokerOptions = {}) {
  const clock = new VirtualClock();
  let acl = rightsOf({ management: true });
  let answered: Promise<unknown> | undefined;
  const resolve = async () => {
    await answered;
    return acl;
  };
  const broker = new EventBroker({ clock, acl: { resolve }, reauthorizeTimeoutMs: 60_000, ...options });
  onTestFinished(() => broker.close());
  return {
    clock,
    broker,
    publish: async (count: number, ...given: Parameters<typeof event>) => {
      for (let i = 0; i < count; i++) await broker.publish(event(...given));
    },
    subscribe: (asked: SubscribeOptions = {}) => broker.subscribe({ token: 't', ...asked }),
    /** The source answers when what is returned is called. */
    hold: () => {
      const { promise, resolve: answer } = deferred();
      answered = promise;
      return answer;
    },
    change: async (next: Acl = acl) => {
      acl = next;
      await broker.aclChanged({ policy: 'p' });
    },
    deny: async () => {
      acl = rightsOf({ management: false });
      await broker.aclChanged({ policy: 'p' });
      await clock.settle();
    },
  };
}

const rightsOf = (facts: { management: boolean }) => Acl.fromRules([], { ...facts, dependsOn: ['policy:p'] });

function deliver(subscription: Subscription) {
  const sink = new RecordingSink();
  const delivery = subscription.deliverTo(sink, shortFormat, { heartbeatMs: 0 });
  return { sink, delivery };
}

/** A log whose reads wait, before each chunk, for what `before` says then. */
function slowLog(before: () => Promise<unknown> | undefined, inner = new MemoryEventLog()): EventLog {
  return logAround(inner, {
    read: async function* (from, to, options) {
      await before();
      for await (const chunk of inner.read(from, to, options)) {
        yield chunk;
        await before();
      }
    },
  });
}

const never = new Promise<never>(() => undefined);

describe('the state of a subscription', () => {
  it('is unsynced while something waits for it, then synced, and closed at its end', async () => {
    const { publish, subscribe } = makeWorld();
    const subscription = await subscribe();
    await publish(1);
    expect(subscription.state).toBe('unsynced');
    drain(subscription);
    expect(subscription.state).toBe('synced');
    subscription.close();
    expect(subscription.state).toBe('closed');
  });

  it('is synced for a stream in step with the head, whatever was published since it came', async () => {
    const { clock, publish, subscribe } = makeWorld();
    const subscription = await subscribe();
    const { sink } = deliver(subscription);
    await clock.settle();
    await publish(2);
    expect([subscription.state, subscription.position]).toEqual(['synced', 0]);
    await clock.settle();
    expect([subscription.state, subscription.position]).toEqual(['synced', 2]);
    sink.isFull = true;
    await publish(1);
    await clock.settle();
    await publish(1);
    expect([subscription.state, subscription.position]).toEqual(['unsynced', 3]);
  });

  it('is unsynced while its rights are being confirmed, though it has read all there is', async () => {
    const { clock, subscribe, hold, change } = makeWorld();
    const subscription = await subscribe();
    const answer = hold();
    await change();
    expect(subscription.state).toBe('unsynced');
    answer();
    await clock.settle();
    expect(subscription.state).toBe('synced');
  });

  it('names its way into a transport', async () => {
    const { subscribe } = makeWorld();
    const subscription = await subscribe();
    expect(subscription.delivery).toBeUndefined();
    expect(deliver(subscription).delivery).toBe(subscription.delivery);
  });
});

describe('a stream that waits at its fence', () => {
  it('gets nothing of what is published later, until its rights are confirmed', async () => {
    const { clock, publish, subscribe, hold, change } = makeWorld();
    const { sink } = deliver(await subscribe());
    await publish(1);
    const answer = hold();
    await change();
    await clock.settle();
    await publish(1);
    await clock.settle();
    expect(sink.writes).toEqual(['1 ']);
    answer();
    await clock.settle();
    expect(sink.writes).toEqual(['1 ', '2 ']);
  });

  it('shares nothing that was read across a change of its rights', async () => {
    const rule = (...namespaces: string[]) =>
      Acl.fromRules(
        namespaces.map((name) => ({ namespace: { [name]: { capabilities: ['read-job'] } } })),
        { dependsOn: ['policy:p'] },
      );
    const topics = defineTopics({ Job: { requires: { namespace: 'read-job' } } }) as never;
    const { clock, broker, subscribe, change } = makeWorld({ topics });
    await change(rule('acme', 'globex'));
    const asked = { topics: ['Job'], scope: 'allowed' } as const;
    const before = await subscribe(asked);
    for (const namespace of ['acme', 'globex']) await broker.publish({ ...event(), namespace });
    await change(rule('acme'));
    await clock.settle();
    for (const namespace of ['acme', 'globex']) await broker.publish({ ...event(), namespace });
    const { sink } = deliver(before);
    await clock.settle();
    expect(sink.writes).toEqual(['1 2 3 ']);
    const { sink: after } = deliver(await subscribe(asked));
    await clock.settle();
    expect(after.writes).toEqual(['1 3 ']);
  });

  it('takes nothing past it from what another was handed', async () => {
    const { clock, broker, publish, subscribe, hold, change } = makeWorld();
    const [fenced, free] = [await subscribe(), await broker.subscribe({ acl: Acl.management })];
    await publish(1);
    const answer = hold();
    await change();
    await publish(1);
    const { sink } = deliver(free);
    await clock.settle();
    expect(sink.writes).toEqual(['1 2 ']);
    const { sink: held } = deliver(fenced);
    await clock.settle();
    expect(held.writes).toEqual(['1 ']);
    answer();
    await clock.settle();
    expect(held.writes).toEqual(['1 ', '2 ']);
  });

  it('tells only once that its transport pushes back', async () => {
    const { clock, broker, publish, subscribe, change } = makeWorld();
    let told = 0;
    broker.on('lagging', () => told++);
    const { sink } = deliver(await subscribe());
    await clock.settle();
    sink.isFull = true;
    await publish(1);
    await clock.settle();
    await change();
    await clock.settle();
    expect(told).toBe(1);
    expect(broker.subscriptions()).toMatchObject([{ state: 'blocked' }]);
  });
});

describe('a stream that begins ahead of the newest index', () => {
  it('gets nothing before it', async () => {
    const { clock, broker, publish, subscribe } = makeWorld();
    await publish(1);
    const { sink } = deliver(await subscribe({ index: 4, epoch: broker.epoch }));
    for (let i = 0; i < 4; i++) {
      await clock.settle();
      await publish(1);
    }
    await clock.settle();
    expect(sink.writes).toEqual(['4 ', '5 ']);
  });
});

describe('a subscription to a log that is replaced', () => {
  it('is told what it has missed of the old one, and not what was none of its own', async () => {
    const log = new MemoryEventLog();
    const { clock, broker, publish, subscribe } = makeWorld({ log });
    const subscription = await subscribe({ topics: ['Job:a'] });
    await publish(1, 'a');
    await clock.settle();
    expect(drain(subscription).indexes).toEqual([1]);
    await publish(2, 'b');
    await clock.settle();
    log.recreate();
    await publish(1, 'a');
    await clock.settle();
    const { value } = await subscription.next();
    expect(value?.gap).toEqual({ from: 4, to: 4, reason: 'restarted', epoch: broker.epoch });
  });

  it('ends then, read or not, where it fails on gaps', async () => {
    const log = new MemoryEventLog();
    const { clock, publish, subscribe } = makeWorld({ log });
    const subscription = await subscribe({ onGap: 'fail' });
    await publish(1);
    await clock.settle();
    log.recreate();
    await clock.settle();
    expect(subscription).toMatchObject({ state: 'closed', error: { code: 'restarted', index: 0 } });
  });
});

describe('a reader of the log', () => {
  it('that is woken while it waits for a chunk asks for no other, and misses nothing', async () => {
    let held: Promise<unknown> | undefined;
    const { clock, publish, subscribe, change } = makeWorld({ log: slowLog(() => held), buffer: { maxBatches: 1 } });
    await publish(30, 'a', 'x'.repeat(10_000));
    await clock.settle();
    const subscription = await subscribe();
    const { promise, resolve } = deferred();
    held = promise;
    const first = subscription.next();
    await clock.settle();
    await change();
    await clock.settle();
    held = undefined;
    resolve();
    const indexes = [(await first).value?.index];
    // Whatever else was asked of the log has come by then.
    for (let i = 0; i < 20; i++) await clock.settle();
    while (indexes.length < 30) indexes.push((await subscription.next()).value?.index);
    expect(indexes).toEqual(range(1, 30));
  });

  it('waits for a slow one for as long as it takes', async () => {
    const world = makeWorld({ log: slowLog(() => held), buffer: { maxBatches: 1 } });
    const { clock, publish, subscribe } = world;
    const held = new Promise<void>((resolve) => void clock.after(20_000, resolve));
    await publish(3);
    await clock.settle();
    const { sink } = deliver(await subscribe());
    await clock.advance(21_000);
    expect(sink.writes.join('')).toBe('1 2 3 ');
  });

  it('asks a failing one again after a while, and stays open', async () => {
    let fails = true;
    const log = slowLog(() => (fails ? Promise.reject(new Error('of the log')) : undefined));
    const { clock, publish, subscribe } = makeWorld({ log, buffer: { maxBatches: 1 } });
    await publish(3);
    await clock.settle();
    const { sink } = deliver(await subscribe());
    await clock.advance(10_000);
    expect([sink.writes, sink.ended]).toEqual([[], undefined]);
    fails = false;
    await clock.advance(250);
    expect(sink.writes.join('')).toBe('1 2 3 ');
  });
});

describe('a revoked reader of the log', () => {
  /** Ends it by its rights while the log keeps to what `before` says. */
  async function revoke(
    before: (clock: VirtualClock) => Promise<unknown>,
    when: 'before it reads' | 'while it waits',
    asked: SubscribeOptions = {},
  ) {
    const inner = new MemoryEventLog();
    let isSlow = false;
    const log = slowLog(() => (isSlow ? before(world.clock) : undefined), inner);
    const world = makeWorld({ log, buffer: { maxBatches: 1 } });
    await world.publish(30, 'a', 'x'.repeat(10_000));
    await world.clock.settle();
    isSlow = true;
    const [stream, waiting] = [await world.subscribe(asked), await world.subscribe(asked)];
    const { sink } = deliver(stream);
    const next = waiting.next().then(
      () => 'a batch',
      (error: { code: string }) => error.code,
    );
    if (when === 'while it waits') await world.clock.settle();
    await world.deny();
    return { ...world, log: inner, stream, waiting, sink, next };
  }

  it.each(['before it reads', 'while it waits'] as const)(
    'ends within five seconds where the log never answers: revoked %s',
    async (when) => {
      const { clock, stream, waiting, sink, next } = await revoke(() => never, when);
      await clock.advance(4999);
      expect([stream.state, waiting.state]).toEqual(['unsynced', 'unsynced']);
      await clock.advance(1);
      expect([stream.error?.code, waiting.error?.code]).toEqual(['acl_revoked', 'acl_revoked']);
      expect(sink.ended).toEqual({ last: 'acl_revoked after 0' });
      expect(await next).toBe('acl_revoked');
    },
  );

  it('has these five seconds for all that is left, and not for each chunk', async () => {
    const slowly = (ofWorld: VirtualClock) => new Promise<void>((resolve) => void ofWorld.after(2000, resolve));
    const { clock, stream, sink } = await revoke(slowly, 'while it waits');
    await clock.advance(4999);
    expect(stream.state).toBe('unsynced');
    await clock.advance(1);
    expect(stream.state).toBe('closed');
    expect(sink.ended?.last).toMatch(/^acl_revoked after [1-9]/);
  });

  it.each(['before it reads', 'while it waits'] as const)('ends at once where it fails: revoked %s', async (when) => {
    let fail: (error: Error) => void = () => undefined;
    const failing = () => new Promise<void>((_, reject) => (fail = reject));
    const { clock, stream, sink } = await revoke(failing, when);
    await clock.settle();
    fail(new Error('of the log'));
    await clock.settle();
    expect([stream.state, sink.ended]).toEqual(['closed', { last: 'acl_revoked after 0' }]);
  });

  it('ends in front of what is trimmed meanwhile, and with its revocation, also where it fails on gaps', async () => {
    const held = deferred();
    const world = await revoke(() => held.promise, 'while it waits', { onGap: 'fail' });
    const { broker, clock, log, publish, stream, sink, next } = world;
    await publish(5);
    await log.trim({ maxRecords: 2 });
    held.resolve();
    await clock.settle();
    expect(stream.error).toMatchObject({ code: 'acl_revoked', index: 0 });
    expect(sink).toMatchObject({ chunks: [], ended: { last: 'acl_revoked after 0' } });
    expect(await next).toBe('acl_revoked');
    expect(broker.stats().gaps).toBe(0);
  });
});

describe('a revoked subscription', () => {
  it('ends at once where it waits for a state that is still to be read of the log', async () => {
    const topics = defineTopics({ Job: { requires: { namespace: 'read-job' }, retain: 'latest' } }) as never;
    const inner = new MemoryEventLog();
    let isHeld = false;
    const log = logAround(inner, {
      pinned: async function* (options) {
        if (isHeld) await never;
        yield* inner.pinned(options);
      },
      read: async function* (from, to, options) {
        if (isHeld) await never;
        yield* inner.read(from, to, options);
      },
    });
    const { clock, publish, subscribe, deny } = makeWorld({ log, topics });
    await publish(1);
    await clock.settle();
    const asked = { state: true, topics: ['Job'] as never };
    const { sink } = deliver(await subscribe(asked));
    const waiting = await subscribe(asked);
    drain(waiting);
    await clock.settle();
    isHeld = true;
    inner.recreate();
    await publish(1);
    await clock.settle();
    const next = waiting.next().catch((error: { code: string }) => error.code);
    await deny();
    expect(sink.ended?.last).toMatch(/^acl_revoked/);
    expect([waiting.state, await next]).toEqual(['closed', 'acl_revoked']);
  });

  it('ends at once where its transport takes nothing, whatever is left', async () => {
    const { clock, publish, subscribe, deny } = makeWorld();
    const { sink } = deliver(await subscribe());
    await clock.settle();
    sink.isFull = true;
    await publish(1);
    await clock.settle();
    await publish(2);
    await deny();
    expect([sink.writes, sink.ended]).toEqual([['1 '], { last: 'acl_revoked after 1' }]);
  });

  it('ends with the broker, though more than a slice of it is left', async () => {
    const { clock, broker, publish, subscribe, deny } = makeWorld();
    await publish(40, 'a', 'x'.repeat(10_000));
    const subscription = await subscribe();
    // No flush comes by itself.
    clock.soon = () => ({ cancel: () => undefined });
    const sink = new RecordingSink();
    subscription.deliverTo(sink, { ...shortFormat, batch: ({ line }) => line }, { heartbeatMs: 0 });
    await deny();
    expect(subscription.state).toBe('unsynced');
    await broker.close();
    expect(subscription.error).toMatchObject({ code: 'acl_revoked', index: 13 });
    expect(sink.ended).toEqual({ last: 'acl_revoked after 13' });
  });
});

describe('a subscription that is delivered', () => {
  it('is read by nothing else', async () => {
    const { subscribe } = makeWorld();
    const subscription = await subscribe();
    deliver(subscription);
    const message = (call: string): unknown => expect.stringMatching(`^${call} would take`);
    await expect((async () => subscription.poll())()).rejects.toMatchObject({ message: message('poll..') });
    await expect(subscription.next()).rejects.toMatchObject({ message: message('next..') });
  });
});

describe('a subscription that has ended', () => {
  it('ends a transport that it is delivered to afterwards at once, and keeps its reason', async () => {
    const { subscribe, deny } = makeWorld();
    const [closed, revoked] = [await subscribe(), await subscribe()];
    closed.close();
    await deny();
    drain(revoked);
    expect(deliver(closed).sink).toMatchObject({ chunks: [], ended: { last: undefined } });
    expect(deliver(revoked).sink).toMatchObject({ chunks: [], ended: { last: 'acl_revoked after 0' } });
    revoked.close();
    expect(revoked.error?.code).toBe('acl_revoked');
  });

  it('is told to its host once', async () => {
    const { clock, broker, subscribe, deny } = makeWorld();
    let told = 0;
    broker.on('unsubscribe', () => told++);
    const { sink } = deliver(await subscribe());
    await clock.settle();
    await deny();
    expect([told, sink.ended?.last]).toEqual([1, 'acl_revoked after 0']);
    expect(broker.stats().ended).toEqual({ acl_revoked: 1 });
  });

  it('answers `done` to who leaves its loop', async () => {
    const { subscribe } = makeWorld();
    const subscription = await subscribe();
    expect(await subscription.return()).toEqual({ value: undefined, done: true });
    expect(await subscription.next()).toEqual({ value: undefined, done: true });
  });
});
