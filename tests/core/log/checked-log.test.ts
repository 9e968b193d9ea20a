import { describe, expect, it } from 'vitest';
import { EventBroker, type EventLog } from 'fenceline';
import { MemoryEventLog, VirtualClock } from 'fenceline/testing';
import { CheckedLog } from '../../../src/core/log/checked-log.ts';
import { failureOf } from '../../conformance/reading.ts';
import { logAround } from '../../logs/log-around.ts';

const event = { topic: 'Job', type: 'Made', key: 'a', payload: 1 };
const never = () => new Promise<never>(() => undefined);
const brokerOver = (given: Partial<EventLog>, clock = new VirtualClock()) =>
  new EventBroker({ clock, log: logAround(new MemoryEventLog(), given), buffer: { maxBatches: 1 } });

describe('a log that answers nonsense', () => {
  it.each([
    ['nothing', undefined],
    ['an empty object', {}],
    ['an index that is none', { epoch: 'e', first: NaN, head: 0 }],
    ['no epoch', { first: 1, head: 0 }],
    ['a first past the head', { epoch: 'e', first: 9, head: 3 }],
    ['texts', { epoch: 'e', first: '1', head: '0' }],
  ])('for its state: %s is an outage that says so', async (_, state) => {
    const broker = brokerOver({ state: () => Promise.resolve(state as never) });
    expect(await failureOf(() => broker.subscribe())).toMatchObject({
      code: 'log_unavailable',
      message: expect.stringMatching(/answered nonsense: state must answer/) as string,
    });
    await broker.close();
  });

  it.each([[undefined], [{}], [{ index: 0 }], [{ index: '7' }]])(
    'for an append: %j is not acknowledged',
    async (result) => {
      const broker = brokerOver({ append: () => Promise.resolve(result as never) });
      expect(await failureOf(() => broker.publish(event))).toMatchObject({ code: 'log_unavailable' });
      await broker.close();
    },
  );

  it('for a tail: what cannot be stopped is none', async () => {
    const broker = brokerOver({ tail: () => Promise.resolve(undefined as never) });
    expect(await failureOf(() => broker.publish(event))).toMatchObject({ code: 'log_unavailable' });
    await broker.close();
  });

  it('for a read: its readers wait and ask again, and nothing else breaks', async () => {
    const clock = new VirtualClock();
    let isMad = true;
    const log = new MemoryEventLog();
    const broker = new EventBroker({
      clock,
      buffer: { maxBatches: 1 },
      log: logAround(log, {
        read: (...args: Parameters<EventLog['read']>) =>
          isMad
            ? (async function* () {
                yield await Promise.resolve([{ index: 1 }] as never);
              })()
            : log.read(...args),
      }),
    });
    for (let i = 0; i < 3; i++) await broker.publish(event);
    const subscription = await broker.subscribe({ index: 1 });
    const next = subscription.next();
    await clock.advance(1000);
    isMad = false;
    await clock.advance(1000);
    expect((await next).value?.index).toBe(1);
    await broker.close();
  });
});

describe('a log that never answers', () => {
  it.each<[string, Partial<EventLog>]>([
    ['state', { state: never }],
    ['tail', { tail: never }],
  ])('%s: whoever waits for it is told after half a minute', async (_, given) => {
    const clock = new VirtualClock();
    const broker = brokerOver(given, clock);
    const failing = failureOf(() => broker.subscribe());
    await clock.advance(30_000);
    expect(await failing).toMatchObject({ code: 'log_unavailable' });
  });

  it('when it is read: a revoked or closed reader is told all the same, and the broker closes', async () => {
    const clock = new VirtualClock();
    const broker = brokerOver({ read: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }) as never }, clock);
    for (let i = 0; i < 3; i++) await broker.publish(event);
    while (broker.stats().latestIndex < 3) await clock.settle();
    const subscription = await broker.subscribe({ index: 1 });
    const next = subscription.next();
    await clock.settle();
    await broker.close();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(subscription.error).toMatchObject({ code: 'closed' });
    expect(broker.stats().subscriptions).toBe(0);
  });

  it('when its tail is stopped: the broker closes after half a minute', async () => {
    const clock = new VirtualClock();
    const log = new MemoryEventLog();
    const tail: EventLog['tail'] = async (...args) => ({ ...(await log.tail(...args)), stop: never });
    const broker = new EventBroker({ clock, log: logAround(log, { tail }) });
    await broker.publish(event);
    let isClosed = false;
    const closing = broker.close().then(
      () => (isClosed = true),
      () => (isClosed = true),
    );
    await clock.advance(30_000);
    await closing;
    expect(isClosed).toBe(true);
  });
});

describe('pinned records', () => {
  const recordAt = (index: number) =>
    ({ pins: ['a'], index, kind: 'events', time: 1, body: new Uint8Array(1) }) as const;
  const telling = (...chunks: unknown[]) => ({
    async *pinned() {
      yield* chunks as never[];
    },
  });

  async function readFrom(given: Partial<EventLog>, clock = new VirtualClock()): Promise<number[]> {
    const log = new CheckedLog(logAround(new MemoryEventLog(), given), clock);
    const indexes: number[] = [];
    for await (const chunk of log.pinned({})) indexes.push(...chunk.map(({ index }) => index));
    return indexes;
  }

  it('are passed on, with whatever holes, as they are asked for', async () => {
    const memory = new MemoryEventLog();
    for (const key of ['a', 'b', 'a', 'c']) await memory.append(new Uint8Array(1), { pins: [key] });
    await memory.trim({ maxRecords: 0 });
    const chunks: number[] = [];
    for await (const chunk of new CheckedLog(memory, new VirtualClock()).pinned({ maxBytes: 1 }))
      chunks.push(...chunk.map(({ index }) => index), 0);
    expect(chunks).toEqual([2, 0, 3, 0, 4, 0]);
  });

  it.each<[string, Partial<EventLog>, string, RegExp]>([
    ['of a log that has none', { pinned: undefined as never }, 'not_supported', /keeps no pinned records/],
    ['that are none', telling([{ index: 1 }]), 'log_unavailable', /answered nonsense/],
    ['that go back', telling([recordAt(3)], [recordAt(2)]), 'log_unavailable', /Record 2 came after record 3/],
    ['that come twice', telling([recordAt(3), recordAt(3)]), 'log_unavailable', /Record 3 came after record 3/],
  ])('%s are refused', async (_, given, code, message) => {
    expect(await failureOf(() => readFrom(given))).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('that never come are an outage after half a minute', async () => {
    const clock = new VirtualClock();
    const failing = failureOf(() =>
      readFrom({ pinned: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }) }, clock),
    );
    await clock.advance(30_000);
    expect(await failing).toMatchObject({ code: 'log_unavailable' });
  });

  it('are not given out of a log that was closed', async () => {
    const log = new CheckedLog(
      logAround(new MemoryEventLog(), telling([recordAt(1)], [recordAt(2)])),
      new VirtualClock(),
    );
    const chunks = log.pinned({});
    await chunks.next();
    log.close();
    expect(await failureOf(() => chunks.next())).toMatchObject({ code: 'closed' });
  });
});

describe('many readers of history', () => {
  it('are served so many at once as limits.historyReads says, each of them all of it', async () => {
    const clock = new VirtualClock();
    const log = new MemoryEventLog();
    const seen = { now: 0, most: 0 };
    const counted: EventLog['read'] = (...args) => {
      const chunks = log.read(...args)[Symbol.asyncIterator]();
      const next = async () => {
        seen.most = Math.max(seen.most, ++seen.now);
        await new Promise(setImmediate);
        return chunks.next().finally(() => seen.now--);
      };
      return { [Symbol.asyncIterator]: () => ({ next, return: () => chunks.return?.() as never }) } as never;
    };
    const broker = new EventBroker({
      clock,
      buffer: { maxBatches: 1 },
      limits: { historyReads: 3 },
      log: logAround(log, { read: counted }),
    });
    const large = { ...event, payload: 'x'.repeat(30_000) };
    for (let i = 0; i < 10; i++) await broker.publish(large);
    const read = async (from: number): Promise<number[]> => {
      const indexes: number[] = [];
      for await (const { index } of await broker.subscribe({ index: from })) {
        indexes.push(index);
        if (index === 10) break;
      }
      return indexes;
    };
    // Each at a place of its own: they would share what they read otherwise.
    const starts = [1, 2, 3, 4, 5, 6, 7, 8];
    const all = await Promise.all(starts.map(read));
    expect(all).toEqual(starts.map((from) => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].slice(from - 1)));
    expect(seen.most).toBe(3);
    await broker.close();
  });
});
