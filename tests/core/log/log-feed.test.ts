import { describe, expect, it, onTestFinished } from 'vitest';

import {
  defineTopics,
  EventBroker,
  type AppendOptions,
  type EventBrokerOptions,
  type EventLog,
  type LogState,
} from '../../../src/index.ts';
import { deferred } from '../../../src/testing/deferred.ts';
import { MemoryEventLog, VirtualClock } from '../../../src/testing/index.ts';
import { failureOf } from '../../conformance/reading.ts';
import { logAround, tellingLog } from '../../logs/log-around.ts';

const topics = defineTopics({
  Order: { requires: 'anyone', retain: 'latest', removedBy: ['Closed'] },
  Note: { requires: 'anyone' },
  Policy: { aclChange: 'policy' },
});
const event = (topic: 'Order' | 'Note' | 'Policy', key: string, type = 'Placed') => ({
  topic,
  type,
  key,
  namespace: 'n',
  payload: null,
});
const order = (key: string) => event('Order', key);

function makeBroker(log: EventLog, options: EventBrokerOptions = {}) {
  const clock = new VirtualClock();
  const broker = new EventBroker({ clock, topics: topics as never, log, ...options });
  onTestFinished(() => broker.close());
  const keys = () => broker.state({ topics: ['Order'], namespace: '*' }).events.map(({ key }) => key);
  return { clock, broker, keys };
}

/** What a log in memory does takes some turns of the event loop. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
}

/** An outcome, in a word, once there is one. */
function outcomeOf(work: Promise<unknown>): { is: string } {
  const outcome = { is: 'waits' };
  work.then(
    () => (outcome.is = 'done'),
    (error: { code?: string }) => (outcome.is = error.code ?? 'failed'),
  );
  return outcome;
}

describe('what a log is handed', () => {
  const appended: AppendOptions[] = [];
  function takingLog(capabilities: Partial<EventLog['capabilities']> = {}): EventLog {
    appended.length = 0;
    const inner = new MemoryEventLog();
    return logAround(inner, {
      capabilities: { ...inner.capabilities, ...capabilities },
      append: (body, options = {}) => {
        appended.push(options);
        return inner.append(body, { kind: options.kind ?? 'events' });
      },
    });
  }
  const name = (key: string) => JSON.stringify(['Order', 'n', key]);

  it('says whether ACLs change, and of which objects it holds the newest, or the end', async () => {
    const { broker } = makeBroker(takingLog());
    await broker.publish(order('a'));
    await broker.publish(event('Order', 'a', 'Closed'));
    await broker.publish([order('b'), event('Note', 'x'), order('c'), event('Order', 'b', 'Closed')]);
    await broker.publish(event('Note', 'y'));
    await broker.publish(event('Policy', 'p'));
    await broker.aclChanged({ policy: 'p' });
    expect(appended).toMatchObject([{ kind: 'events' }, {}, {}, { kind: 'events' }, { kind: 'acl' }, { kind: 'acl' }]);
    expect(appended.map(({ pins, unpins }) => [pins, unpins])).toEqual([
      [[name('a')], []],
      [[], [name('a')]],
      [[name('c')], [name('b')]],
      ...Array.from({ length: 3 }, () => [undefined, undefined]),
    ]);
  });

  it('names no objects where it cannot keep records for them', async () => {
    const { broker } = makeBroker(takingLog({ pins: false }));
    await broker.publish(order('a'));
    expect(appended.map(({ pins, unpins }) => [pins, unpins])).toEqual([[undefined, undefined]]);
  });

  it('is handed over at once within a transaction, which nothing may hold open', async () => {
    const { log, handler } = tellingLog(takingLog({ transactional: true }));
    const { broker } = makeBroker(log, { publishWhenDown: 'wait' });
    await broker.ready();
    await turns();
    handler().status('down');
    const transaction = { query: () => Promise.resolve({ rows: [] }) };
    const waiting = outcomeOf(broker.publish(event('Note', 'x')));
    await broker.publish(event('Note', 'y'), { transaction });
    await turns();
    expect([waiting.is, appended]).toMatchObject(['waits', [{ kind: 'events' }]]);
  });
});

describe('publishes that wait for a log that is down', () => {
  it('are a thousand or so, and end with the broker', async () => {
    const { log, handler } = tellingLog(new MemoryEventLog());
    const { broker } = makeBroker(log, { publishWhenDown: 'wait' });
    await broker.ready();
    await turns();
    handler().status('down');
    let commits = 0;
    const publish = (i: number) => broker.publish(event('Note', 'x'), i === 0 ? { commit: () => commits++ } : {});
    const waiting = Array.from({ length: 1024 }, (_, i) => outcomeOf(publish(i)));
    await turns();
    expect(await failureOf(() => broker.publish(event('Note', 'x')))).toMatchObject({ code: 'at_capacity' });
    expect(waiting.every(({ is }) => is === 'waits')).toBe(true);
    await broker.close();
    await turns();
    expect(waiting.every(({ is }) => is === 'closed')).toBe(true);
    expect(commits, 'what the host would have committed').toBe(0);
  });

  it('go on when it answers again, also while it catches up', async () => {
    const { log, handler } = tellingLog(new MemoryEventLog());
    const { broker } = makeBroker(log, { publishWhenDown: 'wait' });
    await broker.ready();
    await turns();
    handler().status('down');
    const waiting = outcomeOf(broker.publish(event('Note', 'x')));
    await turns();
    handler().status('down');
    await turns();
    expect(waiting.is).toBe('waits');
    handler().status('catching-up');
    await turns();
    expect(waiting.is).toBe('done');
  });
});

describe('the status of a log', () => {
  it('is told when it changes, and is what the log said last', async () => {
    const inner = new MemoryEventLog();
    const tail: EventLog['tail'] = (after, handler) => {
      handler.status('catching-up');
      return inner.tail(after, { ...handler, status: () => undefined });
    };
    const { log, handler } = tellingLog(logAround(inner, { tail }));
    const { broker } = makeBroker(log);
    const told: string[] = [];
    broker.on('log', ({ status }) => told.push(status));
    await broker.publish(event('Note', 'x'));
    expect(broker.stats().log).toBe('catching-up');
    for (const status of ['up', 'up', 'down', 'down', 'up'] as const) handler().status(status);
    expect(told).toEqual(['catching-up', 'up', 'down', 'up']);
  });
});

describe('a broker that was closed', () => {
  it('takes nothing more of its log, and has stopped following it', async () => {
    const inner = new MemoryEventLog();
    let stops = 0;
    const tail: EventLog['tail'] = async (after, handler) => {
      const following = await inner.tail(after, handler);
      return { stop: () => (stops++, following.stop()) };
    };
    const { log, handler } = tellingLog(logAround(inner, { tail }));
    const { broker } = makeBroker(log);
    const told: string[] = [];
    await broker.publish(event('Note', 'x'));
    broker.on('log', ({ status }) => told.push(status));
    await broker.close();
    expect(stops).toBe(1);
    const body = Buffer.from('{"v":1,"events":[]}\n');
    await handler().records([{ index: 2, kind: 'events', time: 0, body }]);
    handler().status('down');
    expect(broker.stats()).toMatchObject({ latestIndex: 1, log: 'up' });
    expect(told).toEqual([]);
  });

  it('does not go on to follow a log that it was about to open', async () => {
    const inner = new MemoryEventLog();
    const opening = deferred();
    let stops = 0;
    const tail: EventLog['tail'] = async () => {
      await opening.promise;
      return { stop: () => Promise.resolve(void stops++) };
    };
    const { broker } = makeBroker(logAround(inner, { tail }));
    const ready = outcomeOf(broker.ready());
    await turns();
    await broker.close();
    opening.resolve();
    await turns();
    expect([stops, broker.stats().log]).toEqual([1, 'down']);
    expect(ready.is).not.toBe('waits');
  });

  it('asks its log no more for a state that could not be read', async () => {
    let fails = false;
    const inner = new MemoryEventLog();
    const read: EventLog['read'] = (...range) => (fails ? failing() : inner.read(...range));
    const { broker, clock } = makeBroker(logAround(inner, { read }));
    await broker.publish(order('a'));
    await turns();
    fails = true;
    inner.recreate();
    await inner.append(Buffer.from('{"v":1,"events":[]}\n'));
    await clock.advance(1000);
    expect(clock.timers).toBe(1);
    await broker.close();
    await clock.advance(1000);
    expect(clock.timers).toBe(0);
  });
});

const failing = () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('of the log')) }) });

describe('readers of history', () => {
  it('read 64 KiB at a time, wait for their turn, and end in the log when they are closed', async () => {
    const inner = new MemoryEventLog();
    const asked: unknown[] = [];
    let ends = 0;
    const held = deferred();
    const log = logAround(inner, {
      read: async function* (from, to, options) {
        asked.push(options);
        try {
          await held.promise;
          yield* inner.read(from, to, options);
        } finally {
          ends++;
        }
      },
    });
    const { broker } = makeBroker(log, { buffer: { maxBatches: 1 }, limits: { historyReads: 1 } });
    for (let i = 0; i < 9; i++) await broker.publish({ ...event('Note', 'x'), payload: 'x'.repeat(20_000) });
    await turns();
    const readers = [await broker.subscribe({ namespace: '*' }), await broker.subscribe({ namespace: '*', index: 3 })];
    for (const reader of readers) expect(reader.poll()).toBeUndefined();
    await turns();
    expect(broker.stats().waitingReads).toBe(1);
    held.resolve();
    await turns();
    expect(broker.stats().waitingReads).toBe(0);
    expect(readers.map((reader) => reader.poll()?.index)).toEqual([1, 3]);
    expect(asked).toEqual([
      { maxBytes: 65_536, epoch: expect.any(String) as unknown },
      { maxBytes: 65_536, epoch: expect.any(String) as unknown },
    ]);
    for (const reader of readers) reader.close();
    await turns();
    expect(ends).toBe(2);
  });
});

describe('the state that a log holds', () => {
  /** Reads of the log wait for what `before` says then. */
  function heldLog(before: () => Promise<unknown> | undefined) {
    const inner = new MemoryEventLog();
    const log = logAround(inner, {
      read: async function* (from, to, options) {
        // What a read gives was there when it began.
        const chunks = [];
        for await (const chunk of inner.read(from, to, options)) chunks.push(chunk);
        await before();
        yield* chunks;
      },
    });
    return { inner, log };
  }

  const record = (key: string) => {
    const head = ['Order', 'Placed', key, 'n', [], 4];
    return Buffer.from(`${JSON.stringify({ v: 1, events: [head] })}\nnull`);
  };

  it('is waited for by who subscribes to it, while a replaced log is read', async () => {
    const gate: { held?: Promise<unknown> } = {};
    const { inner, log } = heldLog(() => gate.held);
    const { broker } = makeBroker(log);
    await broker.publish(order('old'));
    await turns();
    const { promise, resolve } = deferred();
    gate.held = promise;
    inner.recreate();
    await inner.append(record('new'));
    await turns();
    const subscribing = broker.subscribe({ topics: ['Order'] as never, namespace: '*', state: true });
    const waits = outcomeOf(subscribing);
    const plain = outcomeOf(broker.subscribe({ topics: ['Order'] as never, namespace: '*' }));
    await turns();
    expect([waits.is, plain.is]).toEqual(['waits', 'done']);
    resolve();
    await turns();
    expect(waits.is).toBe('done');
    expect((await subscribing).poll()?.events.map(({ key }) => key)).toEqual(['new']);
  });

  it('is asked for again after a while where the log failed', async () => {
    let fails = false;
    const { inner, log } = heldLog(() => (fails ? Promise.reject(new Error('of the log')) : undefined));
    const { broker, clock, keys } = makeBroker(log);
    await broker.publish(order('old'));
    await turns();
    fails = true;
    inner.recreate();
    await inner.append(record('new'));
    await turns();
    fails = false;
    await clock.advance(249);
    await turns();
    expect(keys).toThrow(/broker\.ready/);
    await clock.advance(1);
    await turns();
    expect(keys()).toEqual(['new']);
  });

  it('is that of the newest log, though an older one was still being read', async () => {
    let held: Promise<unknown> | undefined;
    const { inner, log } = heldLog(() => held);
    const { broker, keys } = makeBroker(log);
    await broker.publish(order('first'));
    await turns();
    const { promise, resolve } = deferred();
    held = promise;
    inner.recreate();
    await inner.append(record('second'));
    await turns();
    held = undefined;
    inner.recreate();
    await inner.append(record('third'));
    await turns();
    expect(keys()).toEqual(['third']);
    resolve();
    await turns();
    expect(keys()).toEqual(['third']);
  });

  it('is read up to where a gap ends, with progress', async () => {
    const inner = new MemoryEventLog();
    const { log, handler } = tellingLog(inner);
    const { broker, keys } = makeBroker(log);
    await broker.publish(order('a'));
    await turns();
    const told: unknown[] = [];
    broker.on('log', ({ status, progress }) => told.push([status, progress]));
    for (const key of ['b', 'c']) await inner.append(record(key));
    handler().gap({ after: 1, first: 3 });
    await turns();
    expect(told).toContainEqual(['catching-up', { index: 2, head: 2 }]);
    expect(keys()).toContain('b');
  });

  it('is read anew where the log came back shorter while it was read', async () => {
    const inner = new MemoryEventLog();
    for (const key of ['a', 'b', 'c']) await inner.append(record(key));
    const whole = await inner.state();
    const answers: LogState[] = [whole, whole, { ...whole, head: 2 }];
    const state = () => Promise.resolve(answers.shift() ?? { ...whole, head: 2 });
    const tail: EventLog['tail'] = () => Promise.resolve({ stop: () => Promise.resolve() });
    const { broker, keys } = makeBroker(logAround(inner, { state, tail }));
    await broker.ready();
    expect([broker.stats().latestIndex, keys()]).toEqual([2, ['a', 'b']]);
  });

  it('passes a record that nobody can read', async () => {
    const inner = new MemoryEventLog();
    await inner.append(record('a'));
    await inner.append(Buffer.from('of another program'));
    await inner.append(record('b'));
    const { broker, keys } = makeBroker(inner);
    await broker.ready();
    expect(keys()).toEqual(['a', 'b']);
  });
});
