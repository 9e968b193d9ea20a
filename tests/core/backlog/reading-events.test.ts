import { describe, expect, it, onTestFinished } from 'vitest';

import {
  Acl,
  defineTopics,
  EventBroker,
  type EventBatch,
  type EventBrokerOptions,
  type EventLog,
  type StreamFormat,
  type SubscribeOptions,
  type Subscription,
} from '../../../src/index.ts';
import { MemoryEventLog, VirtualClock } from '../../../src/testing/index.ts';
import { logAround } from '../../logs/log-around.ts';
import { RecordingSink } from '../delivery/recording-sink.ts';

const topics = defineTopics({
  Order: { requires: { namespace: 'read-orders' } },
  Log: { requires: 'anyone' },
});
const order = (key: string, namespace = 'a') => ({ topic: 'Order', type: 'x', key, namespace, payload: null });
const log = (key: string) => ({ ...order(key), topic: 'Log' });

function textOf({ index, events, gap }: EventBatch): string {
  return `${gap ? `(${gap.reason} ${gap.from}-${gap.to}) ` : ''}${index}: ${events.map(({ key }) => key).join(' ')}`;
}

function poll(subscription: Subscription): string[] {
  const texts: string[] = [];
  for (let batch = subscription.poll(); batch; batch = subscription.poll()) texts.push(textOf(batch));
  return texts;
}

/** Takes so many batches, where some of them have to be fetched. */
async function take(subscription: Subscription, count: number): Promise<string[]> {
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const { value } = await subscription.next();
    texts.push(value === undefined ? 'the end' : textOf(value));
  }
  return texts;
}

function makeWorld(options: EventBrokerOptions = {}) {
  const clock = new VirtualClock();
  const broker = new EventBroker({ topics: topics as never, clock, ...options });
  onTestFinished(() => broker.close());
  const publish = async (...batches: readonly (ReturnType<typeof order> | readonly ReturnType<typeof order>[])[]) => {
    for (const batch of batches) await broker.publish(batch);
  };
  const subscribe = (asked: SubscribeOptions = {}) =>
    broker.subscribe({ topics: ['Order'], namespace: 'a', ...asked }) as Promise<Subscription>;
  return { clock, broker, publish, subscribe };
}

/** Rights that the test decides, by namespace; a subscription that has them gets what it may see. */
function makeRights(clock: VirtualClock, broker: EventBroker) {
  const rights = { namespaces: ['a'] };
  const acl = () => {
    const rules = rights.namespaces.map((name) => [name, { capabilities: ['read-orders'] }]);
    return Acl.fromRules([{ namespace: Object.fromEntries(rules) as never }], { accessorId: 'u' });
  };
  const change = async (...namespaces: readonly string[]): Promise<void> => {
    rights.namespaces = [...namespaces];
    await broker.aclChanged({ token: 'u' });
    await clock.settle();
  };
  return { asked: { acl, scope: 'allowed', namespace: '*' } as const, change };
}

describe('a reader that is slower than the buffer', () => {
  it('is told from where to where something may be missing, with the next batch', async () => {
    const { publish, subscribe } = makeWorld({ buffer: { maxBatches: 2 } });
    const subscription = await subscribe();
    await publish(order('1'), order('2'), order('3'), order('4'));
    expect(poll(subscription)).toEqual(['(slow 1-2) 3: 3', '4: 4']);
    await publish(order('5'), order('6'));
    expect(poll(subscription)).toEqual(['5: 5', '6: 6']);
    await publish(order('7'), order('8'), order('9'));
    expect(poll(subscription)).toEqual(['(slow 7-7) 8: 8', '9: 9']);
  });

  it('is told of what it could have seen, and of nothing that others have lost', async () => {
    const { publish, subscribe } = makeWorld({ buffer: { maxBatches: 1 } });
    const subscription = await subscribe();
    const other = await subscribe({ namespace: 'b' });
    await publish(order('1'), log('2'), order('3', 'b'), log('4'));
    expect([subscription.position, other.position]).toEqual([0, 0]);
    await publish(order('5'), order('6', 'b'));
    expect(poll(subscription)).toEqual([]);
    await publish(order('7'));
    expect(poll(subscription)).toEqual(['(slow 1-5) 7: 7']);
    expect(poll(other)).toEqual([]);
    await publish(order('8', 'b'));
    expect(poll(other)).toEqual(['(slow 3-6) 8: 8']);
  });

  it('comes past what does not match at once, and finds what does, however long ago', async () => {
    const { publish, subscribe } = makeWorld();
    const rare = await subscribe({ topics: ['Order:rare'] });
    const all = await subscribe({ topics: ['Order', 'Log'] });
    await publish(order('rare'));
    for (let i = 0; i < 300; i++) await publish(i % 2 === 0 ? order(`k${i}`) : log('x'));
    await publish([log('y'), order('rare'), order('other')], log('z'));
    expect(poll(rare)).toEqual(['1: rare', '302: rare']);
    expect(rare.position).toBe(303);
    const seen = poll(all);
    expect([seen.length, seen[0], seen[150], seen.at(-1)]).toEqual([303, '1: rare', '151: x', '303: z']);
  });

  it('that starts in the middle reads from there, each matching batch once', async () => {
    const { publish, subscribe } = makeWorld();
    await publish(order('1'), log('2'), [order('3'), log('x')], order('4', 'b'), order('5'));
    expect(poll(await subscribe({ index: 1 }))).toEqual(['1: 1', '3: 3', '5: 5']);
    expect(poll(await subscribe({ index: 2 }))).toEqual(['3: 3', '5: 5']);
    expect(poll(await subscribe({ index: 4, namespace: '*' }))).toEqual(['4: 4', '5: 5']);
    expect(poll(await subscribe({ index: 5 }))).toEqual(['5: 5']);
    expect(poll(await subscribe({ index: 6 }))).toEqual([]);
  });
});

describe('transports that read together', () => {
  const encoder = new TextEncoder();
  const lines: StreamFormat = {
    batch: (batch) => `${textOf(batch as unknown as EventBatch)}\n`,
    gap: ({ from, to, reason }) => `(${reason} ${from}-${to}) `,
    heartbeat: () => '',
    error: ({ code }) => `${code}\n`,
    encode: (text) => encoder.encode(text),
  };

  /** Streams that took what was published first, and pushed back. */
  async function blocked(world: ReturnType<typeof makeWorld>, count: number, asked: SubscribeOptions = {}) {
    const streams = await Promise.all(
      Array.from({ length: count }, async () => {
        const subscription = await world.subscribe(asked);
        const sink = new RecordingSink();
        sink.isFull = true;
        return { subscription, sink, delivery: subscription.deliverTo(sink, lines, { heartbeatMs: 0 }) };
      }),
    );
    await world.publish(order('first'));
    await world.clock.settle();
    for (const { sink } of streams) {
      expect(sink.writes.join('')).toBe('1: first\n');
      sink.chunks.length = 0;
    }
    const read = async (): Promise<string[]> => {
      for (const { delivery, sink } of streams) {
        sink.isFull = false;
        delivery.drained();
      }
      await world.clock.settle();
      return streams.map(({ sink }) => sink.writes.join(''));
    };
    return { streams, read };
  }

  it('get the same, with what they missed told first', async () => {
    const world = makeWorld({ buffer: { maxBatches: 2 } });
    const { streams, read } = await blocked(world, 3);
    await world.publish(order('2'), order('3'), order('4'), log('x'), order('6'));
    const text = '(slow 2-4) 6: 6\n';
    expect(await read()).toEqual([text, text, text]);
    expect(streams.map(({ subscription }) => [subscription.state, subscription.position])).toEqual(
      Array.from({ length: 3 }, () => ['synced', 6]),
    );
    await world.publish(order('7'));
    expect(await read()).toEqual(Array.from({ length: 3 }, () => `${text}7: 7\n`));
  });

  it('get nothing twice where nothing was published that matches', async () => {
    const world = makeWorld();
    const { read } = await blocked(world, 2);
    await world.publish(log('2'), order('3', 'b'));
    expect(await read()).toEqual(['', '']);
    await world.publish(order('4'));
    expect(await read()).toEqual(['4: 4\n', '4: 4\n']);
  });

  it('get what their rights show, up to the change and after it', async () => {
    const world = makeWorld();
    const { asked, change } = makeRights(world.clock, world.broker);
    const { read } = await blocked(world, 2, asked);
    await world.publish(order('2'), order('3', 'b'));
    await change('b');
    await world.publish(order('4'), order('5', 'b'));
    await change('a', 'b');
    await world.publish(order('6'), order('7', 'b'));
    const text = '2: 2\n5: 5\n6: 6\n7: 7\n';
    expect(await read()).toEqual([text, text]);
  });
});

describe('rights that change while a reader is behind', () => {
  it('count for what was published after them, and those before for what was before', async () => {
    const { clock, broker, publish, subscribe } = makeWorld();
    const { asked, change } = makeRights(clock, broker);
    const subscription = await subscribe(asked);
    await publish(order('1', 'a'), order('2', 'b'));
    await change('b');
    await publish(order('3', 'a'), order('4', 'b'));
    await change('a', 'b');
    await publish(order('5', 'a'), order('6', 'b'));
    expect(poll(subscription)).toEqual(['1: 1', '4: 4', '5: 5', '6: 6']);
    expect(broker.stats().interests).toBe(1);
  });

  it('wait for it up to sixteen times; past that it is told a gap over the oldest', async () => {
    const { clock, broker, publish, subscribe } = makeWorld();
    const { asked, change } = makeRights(clock, broker);
    const patient = await subscribe(asked);
    for (let i = 0; i < 16; i++) {
      await publish(order(`a${i}`, 'a'), order(`b${i}`, 'b'));
      await change(i % 2 === 0 ? 'b' : 'a');
    }
    const told = poll(patient);
    expect(told).toHaveLength(16);
    expect(told.slice(0, 3)).toEqual(['1: a0', '4: b1', '5: a2']);
    for (let i = 16; i < 33; i++) {
      await publish(order(`a${i}`, 'a'), order(`b${i}`, 'b'));
      await change(i % 2 === 0 ? 'b' : 'a');
    }
    const late = poll(patient);
    expect(late[0]).toBe('(slow 33-34) 36: b17');
    expect(late).toHaveLength(16);
    expect(broker.stats().interests).toBe(1);
  });

  it('hold it at the change while they are asked for, whatever is trimmed meanwhile', async () => {
    const clock = new VirtualClock();
    let answered = Promise.resolve();
    let answer = (): void => undefined;
    const rights = Acl.fromRules([{ namespace: { a: { capabilities: ['read-orders'] } } }], { accessorId: 'u' });
    const acl = async () => {
      await answered;
      return rights;
    };
    const { broker, publish, subscribe } = makeWorld({ clock, buffer: { maxBatches: 3 } });
    const subscription = await subscribe({ acl });
    const lagging = await subscribe({ acl });
    answered = new Promise((resolve) => (answer = resolve));
    await publish(order('1'), order('2'));
    await broker.aclChanged({ token: 'u' });
    await publish(order('3'), log('4'));
    expect(poll(subscription)).toEqual(['(slow 1-1) 2: 2']);
    expect([subscription.state, subscription.position]).toEqual(['unsynced', 2]);
    await publish(order('5'), log('6'), log('7'));
    expect([poll(subscription), poll(lagging)]).toEqual([[], []]);
    expect([subscription.position, lagging.position]).toEqual([2, 0]);
    answer();
    await clock.settle();
    expect(poll(subscription)).toEqual(['(slow 3-3) 5: 5']);
    expect(poll(lagging)).toEqual(['(slow 1-3) 5: 5']);
  });

  it('end it after what was published before', async () => {
    const { clock, broker, publish, subscribe } = makeWorld();
    const { asked, change } = makeRights(clock, broker);
    const subscription = await subscribe(asked);
    await publish(order('1'), order('2'));
    await change();
    await publish(order('3'));
    expect([subscription.poll(), subscription.poll()].map((batch) => batch && textOf(batch))).toEqual(['1: 1', '2: 2']);
    expect(() => subscription.poll()).toThrow('were taken away');
    expect(broker.stats().interests).toBe(0);
  });
});

describe('a reader of a log', () => {
  /** A log that a broker before this one wrote. */
  async function written(batches: readonly (ReturnType<typeof order> | readonly ReturnType<typeof order>[])[]) {
    const memory = new MemoryEventLog();
    const { broker, publish } = makeWorld({ log: memory });
    await publish(...batches);
    await broker.close();
    return memory;
  }

  it('reads what is in the log alone, then the buffer, then what comes, each once', async () => {
    const memory = await written([order('1'), log('2'), [log('x'), order('3')], order('4', 'b'), log('5')]);
    const { broker, publish, subscribe } = makeWorld({ log: memory.share(), buffer: { maxBatches: 2 } });
    await broker.ready();
    await publish(order('6'), log('7'), order('8'));
    const whole = await subscribe();
    expect(await take(whole, 4)).toEqual(['1: 1', '3: 3', '6: 6', '8: 8']);
    expect(whole.position).toBe(8);
    const middle = await subscribe({ index: 2, topics: ['Log'] });
    expect(await take(middle, 4)).toEqual(['2: 2', '3: x', '5: 5', '7: 7']);
    const next = take(whole, 1);
    await publish(order('9'));
    expect(await next).toEqual(['9: 9']);
  });

  it('passes a stretch of it where nothing matches, and is at its end then', async () => {
    const memory = await written([log('1'), log('2'), log('3')]);
    const { broker, publish, subscribe } = makeWorld({ log: memory.share() });
    await broker.ready();
    const subscription = await subscribe();
    const next = take(subscription, 1);
    await publish(log('4'), order('5'));
    expect(await next).toEqual(['5: 5']);
    expect(subscription.position).toBe(5);
  });

  it('is told of a record that nobody can read, in the log and in the buffer, and goes on behind it', async () => {
    const memory = await written([order('1')]);
    const shared = memory.share();
    const strange = new TextEncoder().encode('not a batch\n');
    await shared.append(strange, { kind: 'events' });
    const { broker, publish, subscribe } = makeWorld({ log: shared });
    await broker.ready();
    await publish(order('3'));
    const subscription = await subscribe();
    expect(await take(subscription, 2)).toEqual(['1: 1', '(trimmed 2-2) 3: 3']);
    await shared.append(strange, { kind: 'events' });
    await publish(order('5'), order('6'));
    expect(await take(subscription, 2)).toEqual(['(trimmed 4-4) 5: 5', '6: 6']);
    expect(await take(await subscribe({ index: 4 }), 2)).toEqual(['(trimmed 4-4) 5: 5', '6: 6']);
  });

  it('is told what was trimmed of it meanwhile, and goes on with what is left', async () => {
    const memory = await written([order('1'), order('2'), order('3'), order('4')]);
    const shared = memory.share();
    const trimming: EventLog = logAround(shared, {
      read: async function* (from, to, options) {
        await shared.trim({ maxRecords: 2 });
        yield* shared.read(from, to, options);
      },
    });
    const { broker, subscribe } = makeWorld({ log: trimming });
    await broker.ready();
    expect(await take(await subscribe({ index: 1 }), 2)).toEqual(['(slow 1-2) 3: 3', '4: 4']);
    expect(await take(await subscribe({ index: 2 }), 2)).toEqual(['(trimmed 2-2) 3: 3', '4: 4']);
  });

  it('stops at a change of its rights, in the log too', async () => {
    const memory = await written([order('1'), order('2', 'b')]);
    const { clock, broker, publish, subscribe } = makeWorld({ log: memory.share(), buffer: { maxBatches: 1 } });
    await broker.ready();
    const { asked, change } = makeRights(clock, broker);
    const subscription = await subscribe(asked);
    await change('b');
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    await clock.settle();
    await publish(order('4', 'a'), order('5', 'b'), order('6', 'b'));
    expect(await take(subscription, 3)).toEqual(['1: 1', '5: 5', '6: 6']);
  });
});
