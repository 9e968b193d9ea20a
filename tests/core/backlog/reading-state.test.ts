import { describe, expect, it, onTestFinished } from 'vitest';

import {
  Acl,
  defineTopics,
  EventBroker,
  type EventBatch,
  type EventBrokerOptions,
  type StreamFormat,
  type SubscribeOptions,
  type Subscription,
} from '../../../src/index.ts';
import { MemoryEventLog, VirtualClock } from '../../../src/testing/index.ts';
import { RecordingSink } from '../delivery/recording-sink.ts';

const topics = defineTopics({
  Order: { requires: 'anyone', retain: 'latest', removedBy: ['Closed'] },
  Secret: { requires: { namespace: 'read-secrets' }, retain: 'latest' },
  Log: { requires: 'anyone' },
});
const order = (key: string, filterKeys: readonly string[] = []) => event('Placed', 'Order', key, filterKeys);
const closed = (key: string) => event('Closed', 'Order', key);
const log = (key: string) => event('x', 'Log', key);

function event(type: string, topic: string, key: string, filterKeys: readonly string[] = []) {
  return { topic, type, key, namespace: 'default', filterKeys, payload: null };
}

type Published = ReturnType<typeof event>;

/** What a stream says, a line for each batch: `(gap) index: keys -removed`. */
const encoder = new TextEncoder();
const lines: StreamFormat = {
  batch: (batch) => `${textOf(batch as unknown as EventBatch)}\n`,
  gap: ({ from, to, reason }) => `(${reason} ${from}-${to}) `,
  current: (index) => `${index}: current\n`,
  heartbeat: () => '',
  error: ({ code }) => `${code}\n`,
  encode: (text) => encoder.encode(text),
};

function textOf({ index, events, removed = [], current, gap }: EventBatch): string {
  const keys = [...events.map(({ key }) => key), ...removed.map(({ key }) => `-${key}`)].join(' ');
  const missing = gap ? `(${gap.reason} ${gap.from}-${gap.to}) ` : '';
  return `${missing}${index}: ${keys}${current ? 'current' : ''}`;
}

function poll(subscription: Subscription): string[] {
  const texts: string[] = [];
  for (let batch = subscription.poll(); batch; batch = subscription.poll()) texts.push(textOf(batch));
  return texts;
}

function makeWorld(options: EventBrokerOptions = {}) {
  const clock = new VirtualClock();
  const broker = new EventBroker({ topics: topics as never, clock, ...options });
  onTestFinished(() => broker.close());
  const publish = async (...batches: readonly (Published | readonly Published[])[]): Promise<void> => {
    for (const batch of batches) await broker.publish(batch);
  };
  /** The same read three times: by `poll`, and by two transports that share what is made for them. */
  const open = async (asked: SubscribeOptions = {}) => {
    const subscriptions: Subscription[] = [];
    for (let i = 0; i < 3; i++)
      subscriptions.push(await broker.subscribe({ topics: ['Order'], state: true, ...asked }));
    const [polled, ...delivered] = subscriptions as [Subscription, Subscription, Subscription];
    const sinks = delivered.map((subscription) => {
      const sink = new RecordingSink();
      sink.isFull = true;
      const delivery = subscription.deliverTo(sink, lines, { heartbeatMs: 0 });
      return { sink, delivery };
    });
    /** What all of them have got since it was last asked. The transports take a write, and wait to be drained. */
    const read = async (): Promise<string[]> => {
      const own = poll(polled);
      const expected = own.map((line) => `${line}\n`).join('');
      for (const { sink, delivery } of sinks) {
        for (let writes = 0; writes < 10 && sink.writes.join('').length < expected.length; writes++) {
          delivery.drained();
          await clock.settle();
        }
        expect(sink.writes.join('')).toBe(expected);
        sink.chunks.length = 0;
      }
      return own;
    };
    return { polled, delivered, read };
  };
  return { clock, broker, publish, open };
}

describe('a slow reader of the state', () => {
  it('gets the newest of each object, what was removed, and what is not retained in between', async () => {
    const { publish, open } = makeWorld();
    const { read } = await open({ topics: ['Order', 'Log'] });
    expect(await read()).toEqual(['0: current']);
    await publish([log('x'), order('a'), log('y')], order('b'), [order('a'), log('z'), order('c')], closed('b'));
    expect(await read()).toEqual(['1: x y', '3: a z c', '4: b -b']);
    await publish([order('d'), order('e'), order('d')], [closed('d'), log('w')]);
    expect(await read()).toEqual(['5: e', '6: d w -d']);
  });

  it('gets of a batch what it asked for, and nothing else, in the order in which it was published', async () => {
    const { publish, open } = makeWorld();
    await publish([log('x'), order('b'), log('a'), order('a'), log('b'), order('c')]);
    expect(await (await open({ topics: ['Order:a', 'Log:a', 'Order:b'] })).read()).toEqual(['1: b a', '1: current']);
    expect(await (await open({ topics: ['Order:c', 'Log:b'], index: 1 })).read()).toEqual(['1: b c', '1: current']);
    expect(await (await open({ topics: ['*'], index: 1 })).read()).toEqual(['1: x b a a b c', '1: current']);
    expect(await (await open({ topics: ['*'] })).read()).toEqual(['1: b a c', '1: current']);
    expect(await (await open({ topics: ['Log'], index: 1 })).read()).toEqual(['1: x a b', '1: current']);
  });

  it('is told what was trimmed of what is not retained, once, and of nothing else', async () => {
    const { publish, open, broker } = makeWorld({ buffer: { maxBatches: 2 } });
    const both = await open({ topics: ['Order', 'Log'] });
    const orders = await open();
    const logs = await open({ topics: ['Log'] });
    await publish(order('a'), log('x'), order('b'), order('a'), log('y'));
    expect(await both.read()).toEqual(['(slow 1-2) 3: b', '4: a', '5: y', '5: current']);
    expect(await orders.read()).toEqual(['3: b', '4: a', '5: current']);
    expect(await logs.read()).toEqual(['(slow 1-2) 5: y', '5: current']);
    await publish(order('c'), order('d'), order('e'));
    expect(await both.read()).toEqual(['6: c', '7: d', '8: e']);
    await publish(log('z'), order('f'), log('w'), order('g'));
    expect(await both.read()).toEqual(['(slow 9-9) 10: f', '11: w', '12: g']);
    expect(broker.stats().gaps).toBeGreaterThan(0);
  });

  it('gets each of what is not retained once, also when it comes to it in steps', async () => {
    const { publish, open } = makeWorld();
    const { polled } = await open({ topics: ['Log', 'Order'] });
    await publish(log('1'), order('a'), log('2'), log('3'));
    expect(polled.poll()?.events[0]?.key).toBe('1');
    await publish(order('b'), log('4'));
    expect(poll(polled)).toEqual(['2: a', '3: 2', '4: 3', '5: b', '6: 4', '6: current']);
    await publish(log('5'));
    expect(poll(polled)).toEqual(['7: 5']);
  });

  it('is told of what left its sight, and of what came back it is not', async () => {
    const { publish, open } = makeWorld();
    await publish([order('a', ['red']), order('b', ['red'])]);
    const { read } = await open({ topics: ['Order:red'] });
    expect(await read()).toEqual(['1: a b', '1: current']);
    await publish([order('a', ['blue']), order('c', ['red'])], order('b', ['blue']), order('b', ['red', 'blue']));
    expect(await read()).toEqual(['2: c -a', '4: b']);
    await publish([order('b', ['green']), closed('c')]);
    expect(await read()).toEqual(['5: -b -c']);
    // One that comes now has none of them, and is told of none.
    expect(await (await open({ topics: ['Order:red'] })).read()).toEqual(['5: current']);
  });

  it('is told of what left its sight within one batch, and not of what it never saw', async () => {
    const { publish, open } = makeWorld();
    await publish([order('a', ['red']), order('b', ['green']), order('c', ['red'])]);
    const { read } = await open({ topics: ['Order:red'] });
    expect(await read()).toEqual(['1: a c', '1: current']);
    await publish([order('a', ['blue']), order('a', ['green']), order('b', ['blue']), order('d', ['red'])]);
    expect(await read()).toEqual(['2: d -a']);
    // One that comes now has never had it.
    expect(await (await open({ topics: ['Order:red'] })).read()).toEqual(['1: c', '2: d', '2: current']);
  });

  it('finds what comes in partitions that were not there, and with keys that nothing had', async () => {
    const { publish, open } = makeWorld();
    await publish(order('a'));
    const { polled } = await open({ topics: ['Order:a', 'Order:red'], namespace: '*' });
    expect(poll(polled)).toEqual(['1: a', '1: current']);
    await publish({ ...order('a'), namespace: 'new' }, order('b', ['red']), { ...order('a'), namespace: '' });
    expect(poll(polled)).toEqual(['2: a', '3: b', '4: a']);
  });

  it('begins anew where removals are forgotten before it comes to them', async () => {
    const { publish, open } = makeWorld({ buffer: { maxRemovals: 1 } });
    await publish([order('a'), order('b'), order('c')]);
    const { read } = await open();
    expect(await read()).toEqual(['1: a b c', '1: current']);
    await publish(closed('a'));
    expect(await read()).toEqual(['2: a -a']);
    await publish(closed('b'), closed('c'), order('d'));
    expect(await read()).toEqual(['(state 4-5) 5: d', '5: current']);
    await publish(closed('d'));
    expect(await read()).toEqual(['6: d -d']);
  });

  it('counts what it was spared, and nothing else', async () => {
    const { publish, open, broker } = makeWorld();
    const { polled } = await open({ topics: ['Order', 'Log'] });
    await publish(order('a'), log('x'), order('a'), order('b'));
    expect(poll(polled)).toEqual(['2: x', '3: a', '4: b', '4: current']);
    expect([polled.skipped, broker.stats().skippedEvents]).toEqual([1, 1]);
    await publish(order('a'));
    poll(polled);
    expect(polled.skipped).toBe(1);
    await publish(order('a'), order('a'), [order('b'), order('c')]);
    poll(polled);
    expect([polled.skipped, broker.stats().skippedEvents]).toEqual([2, 2]);
  });

  it('counts as spared nothing that it has begun with, nor what is still to come', async () => {
    const { publish, open } = makeWorld();
    await publish(order('a'), order('b'), order('c'));
    const { polled } = await open();
    expect(polled.poll()?.events[0]?.key).toBe('a');
    expect(polled.skipped).toBe(0);
    await publish(order('b'), order('b'), order('b'));
    expect(poll(polled)).toEqual(['3: c', '6: b', '6: current']);
    expect(polled.skipped).toBe(2);
  });
});

describe('the end of a reader of the state', () => {
  it('comes after what was published before, in process', async () => {
    const { publish, broker } = makeWorld();
    await publish(order('a'));
    const subscription = await broker.subscribe({ topics: ['Order'], state: true });
    await publish(order('b'));
    await broker.close();
    expect(poll(subscription)).toEqual(['1: a', '2: b']);
    expect([subscription.state, subscription.error?.code]).toEqual(['closed', 'closed']);
    expect(broker.stats().interests).toBe(0);
  });
});

describe('a state that begins anew while it is read', () => {
  it('has no place to resume from until something of it was read', async () => {
    const { publish, open, broker } = makeWorld();
    await publish(order('a'), order('b'));
    const { polled, delivered } = await open({ index: 2, epoch: 'another' });
    for (const subscription of [polled, ...delivered])
      expect([subscription.position, subscription.mark]).toEqual([0, '0.0']);
    expect(polled.poll()?.gap?.reason).toBe('restarted');
    expect(polled.position).toBe(1);
    expect(polled.mark).toMatch(/^[0-9a-z]+\.0$/);
    polled.close();
    const whole = await broker.subscribe({ topics: ['Order'], state: true });
    expect([whole.position, whole.mark]).toEqual([0, polled.mark]);
  });

  it('is told so with the mark from here on, and not with what is no longer shown', async () => {
    const rights = { namespaces: ['default'] };
    const acl = () =>
      Acl.fromRules(
        [
          {
            namespace: Object.fromEntries(rights.namespaces.map((name) => [name, { capabilities: ['read-secrets'] }])),
          },
        ],
        { accessorId: 'a' },
      );
    const { publish, broker, clock } = makeWorld();
    const secret = (key: string, namespace = 'default') => ({ ...event('x', 'Secret', key), namespace });
    await publish(secret('1'), secret('2', 'other'), log('x'));
    const asked = { topics: ['Secret', 'Log'], state: true, scope: 'allowed', acl } as const;
    const subscription = await broker.subscribe(asked);
    expect(poll(subscription)).toEqual(['1: 1', '3: current']);
    await publish(log('y'));
    expect(poll(subscription)).toEqual(['4: y']);
    const { mark } = subscription;
    rights.namespaces = ['other'];
    await broker.aclChanged({ token: 'a' });
    await clock.settle();
    const first = subscription.poll();
    expect(first && textOf(first)).toBe('(state 1-4) 2: 2');
    expect(first?.gap).toEqual({ from: 1, to: 4, reason: 'state', mark: subscription.mark });
    expect(subscription.mark).not.toBe(mark);
    // What is not retained comes again too, from where the subscription began.
    expect(poll(subscription)).toEqual(['4: y', '4: current']);
    await publish(log('z'));
    expect(poll(subscription)).toEqual(['5: z']);
  });

  it('with another log is told its epoch, and reads from its beginning what is not retained', async () => {
    const memory = new MemoryEventLog();
    const { broker, publish, open } = makeWorld({ log: memory });
    await broker.ready();
    await publish(order('a'), log('x'));
    await seen(broker, 2);
    const { polled } = await open({ topics: ['Order', 'Log'], index: 1 });
    expect(poll(polled)).toEqual(['1: a', '2: x', '2: current']);
    const { epoch } = broker;
    memory.recreate();
    for (let i = 0; i < 500 && broker.epoch === epoch; i++) await new Promise(setImmediate);
    await publish(log('y'), order('b'));
    await seen(broker, 2);
    await broker.ready();
    const first = polled.poll();
    expect(first && textOf(first)).toMatch(/^\(restarted 1-\d\) 1: y$/);
    expect(first?.gap).toMatchObject({ reason: 'restarted', epoch: broker.epoch });
    expect(poll(polled)).toEqual(['2: b', '2: current']);
  });
});

/** What a log in memory does takes some turns of the event loop. */
async function seen(broker: EventBroker, index: number): Promise<void> {
  for (let i = 0; i < 500 && broker.stats().latestIndex !== index; i++) await new Promise(setImmediate);
  expect(broker.stats().latestIndex).toBe(index);
}

describe('what is asked for of a state', () => {
  it.each<[string, readonly string[], boolean]>([
    ['a topic that is retained', ['Order'], false],
    ['several of them', ['Order', 'Secret:x'], false],
    ['one that is not, among them', ['Order', 'Log'], true],
    ['a key of each topic', ['*:a'], true],
    ['everything', ['*'], true],
  ])('of %s is or is not read from the buffer too', async (_, asked, isPlain) => {
    const { publish, broker } = makeWorld({ buffer: { maxBatches: 1 } });
    const subscription = await broker.subscribe({ topics: [...asked], state: true });
    await publish({ ...log('a') }, order('z'), order('y'));
    expect(poll(subscription).some((text) => text.startsWith('(slow 1-1)'))).toBe(isPlain);
  });

  it('of everything, where all is retained, has nothing that can be trimmed', async () => {
    const retained = defineTopics({ Order: { retain: 'latest' }, Stock: { retain: 'latest' } });
    const { publish, broker } = makeWorld({ topics: retained as never, buffer: { maxBatches: 1 } });
    const subscription = await broker.subscribe({ topics: ['*'], state: true });
    await publish(order('a'), { ...order('b'), topic: 'Stock' }, order('c'));
    expect(poll(subscription)).toEqual(['1: a', '2: b', '3: c', '3: current']);
  });
});
