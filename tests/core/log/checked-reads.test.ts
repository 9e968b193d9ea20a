import { describe, expect, it } from 'vitest';

import type { EventLog, LogRecord, TailHandler } from '../../../src/index.ts';
import { CheckedLog } from '../../../src/core/log/checked-log.ts';
import { MemoryEventLog, VirtualClock } from '../../../src/testing/index.ts';
import { failureOf } from '../../conformance/reading.ts';
import { logAround } from '../../logs/log-around.ts';

const recordAt = (index: number): LogRecord => ({ index, kind: 'events', time: 0, body: new Uint8Array(1) });

function checked(changes: Partial<EventLog>): CheckedLog {
  return new CheckedLog(logAround(new MemoryEventLog(), changes), new VirtualClock());
}

/** A log that gives these chunks whenever it is read. */
function giving(chunks: readonly unknown[], { dense = true } = {}): CheckedLog {
  const { capabilities } = new MemoryEventLog();
  return checked({
    capabilities: { ...capabilities, dense },
    async *read() {
      yield* chunks as (readonly LogRecord[])[];
    },
  });
}

async function read(log: CheckedLog, from: number, to: number): Promise<number[]> {
  const indexes: number[] = [];
  for await (const chunk of log.read(from, to, {})) indexes.push(...chunk.map(({ index }) => index));
  return indexes;
}

describe('what is read of a log', () => {
  it.each([
    ['all of it', [[2, 3], [4]], true],
    ['with holes, where it has some', [[2, 4]], false],
    ['without its end, where it has holes', [[2]], false],
    ['nothing, where it has holes', [], false],
  ])('is passed on: %s', async (_, chunks, dense) => {
    const log = giving(
      chunks.map((indexes) => indexes.map(recordAt)),
      { dense },
    );
    expect(await read(log, 2, 4)).toEqual(chunks.flat());
  });

  it.each<[string, number[][], boolean, string]>([
    ['begins too late: the first was trimmed', [[3, 4]], true, 'gap'],
    ['has a hole: one was trimmed', [[2, 4]], true, 'gap'],
    ['ends too early', [[2, 3]], true, 'log_unavailable'],
    ['is empty', [], true, 'log_unavailable'],
    ['begins too early', [[1, 2, 3, 4]], true, 'log_unavailable'],
    ['goes back', [[2, 3], [2]], false, 'log_unavailable'],
    ['comes twice', [[2, 2]], false, 'log_unavailable'],
  ])('is refused where it %s', async (_, chunks, dense, code) => {
    const log = giving(
      chunks.map((indexes) => indexes.map(recordAt)),
      { dense },
    );
    expect(await failureOf(() => read(log, 2, 4))).toMatchObject({ code });
  });

  it.each([
    ['no list', recordAt(2)],
    ['nothing', undefined],
    ['a record that is none, after one that is', [recordAt(2), null]],
    ['an index that is none', [{ ...recordAt(2), index: 0 }]],
    ['an index that is a text', [{ ...recordAt(2), index: '2' }]],
    ['a body that is none', [{ ...recordAt(2), body: 'text' }]],
  ])('is refused where it is nonsense: %s', async (_, chunk) => {
    const failure = await failureOf(() => read(giving([chunk], { dense: false }), 2, 4));
    expect(failure).toMatchObject({
      code: 'log_unavailable',
      message: expect.stringMatching(/nonsense: records must/),
    });
  });

  it('ends in the log too when its reader has read enough', async () => {
    const ends: string[] = [];
    const endless = (name: string, index = 1) => ({
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false as const, value: [{ ...recordAt(index++), pins: [] }] }),
        return: () => (ends.push(name), Promise.resolve({ done: true as const, value: undefined })),
      }),
    });
    const log = checked({ read: () => endless('read'), pinned: () => endless('pinned') });
    for await (const _ of log.read(1, 9, {})) break;
    for await (const _ of log.pinned({})) break;
    expect(ends).toEqual(['read', 'pinned']);
  });
});

describe('what a log is asked', () => {
  it('is no append that is longer than its longest record', async () => {
    const { capabilities } = new MemoryEventLog();
    const log = checked({ capabilities: { ...capabilities, maxRecordBytes: 10 } });
    expect(await log.append(new Uint8Array(10), {})).toMatchObject({ index: 1 });
    const failure = await failureOf(() => log.append(new Uint8Array(11), {}));
    expect(failure).toMatchObject({ code: 'bad_request', message: expect.stringMatching(/at most 10 bytes.*not 11/) });
  });

  it('fails with what the log threw as the cause', async () => {
    const cause = new Error('of the disk');
    const log = checked({ state: () => Promise.reject(cause) });
    expect(await failureOf(() => log.state())).toMatchObject({ code: 'log_unavailable', cause });
  });

  it('is refused an epoch without a name', async () => {
    const log = checked({ state: () => Promise.resolve({ epoch: '', first: 1, head: 0 }) });
    expect(await failureOf(() => log.state())).toMatchObject({ code: 'log_unavailable' });
  });
});

describe('what follows a log', () => {
  /** What is told of what the log tells. */
  async function follow(tell: (handler: TailHandler) => Promise<void>) {
    const told: unknown[] = [];
    let stops = 0;
    const stop = () => Promise.resolve(void stops++);
    const log = checked({
      tail: async (_, handler) => {
        await tell(handler);
        return { stop };
      },
    });
    const tail = await log.tail(2, {
      records: (records) => void told.push(records.map(({ index }) => index)),
      gap: (gap) => void told.push(gap),
      reset: ({ head }) => void told.push(`reset ${head}`),
      status: (status) => void told.push(status),
    });
    return { told, tail, stops: () => stops };
  }

  it('is told of a gap once, and no record before its end', async () => {
    const { told } = await follow(async (handler) => {
      handler.gap({ after: 2, first: 6 });
      await handler.records([5, 6, 7].map(recordAt));
      // Late news of an older one.
      handler.gap({ after: 2, first: 4 });
      await handler.records([6, 7, 8].map(recordAt));
    });
    expect(told).toEqual([{ after: 2, first: 6 }, [6, 7], { after: 2, first: 4 }, [8]]);
  });

  it('goes on where the log says that it was reset to, also before what it told', async () => {
    const { told } = await follow(async (handler) => {
      await handler.records([3, 4, 5].map(recordAt));
      handler.reset({ epoch: 'e', first: 1, head: 1 });
      handler.status('catching-up');
      await handler.records([2, 3].map(recordAt));
    });
    expect(told).toEqual([[3, 4, 5], 'reset 1', 'catching-up', [2, 3]]);
  });

  it('is told nothing where the log tells nothing new', async () => {
    const { told } = await follow(async (handler) => {
      await handler.records([]);
      await handler.records([recordAt(2)]);
    });
    expect(told).toEqual([]);
  });

  it('is stopped with the log', async () => {
    const { tail, stops } = await follow(() => Promise.resolve());
    await tail.stop();
    expect(stops()).toBe(1);
  });
});
