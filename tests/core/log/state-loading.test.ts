import { describe, expect, it } from 'vitest';

import { BrokerError } from '../../../src/index.ts';
import { CheckedLog } from '../../../src/core/log/checked-log.ts';
import type { EventLog, PinnedRecord } from '../../../src/core/log/event-log.ts';
import { readState, type LoadProgress } from '../../../src/core/log/state-loading.ts';
import { MemoryEventLog, VirtualClock } from '../../../src/testing/index.ts';
import { failureOf } from '../../conformance/reading.ts';
import { logAround } from '../../logs/log-around.ts';
import { encodedBatch } from '../event-fixtures.ts';

/** Writes down what a state is told. */
class Told {
  readonly calls: unknown[] = [];

  startAfter(index: number, pins: boolean): void {
    this.calls.push(['startAfter', index, pins]);
  }

  append({ index }: { readonly index: number }, pins?: ReadonlySet<string>): void {
    this.calls.push(pins === undefined ? index : [index, ...pins]);
  }

  appendUnreadable(index: number): void {
    this.calls.push(`${index} cannot be read`);
  }
}

async function logOf(count: number): Promise<MemoryEventLog> {
  const log = new MemoryEventLog();
  for (let i = 1; i <= count; i++) await log.append(new Uint8Array(i), i === 2 ? { pins: ['k'] } : {});
  return log;
}

async function load(log: EventLog, head: number) {
  const progress: LoadProgress[] = [];
  const states: Told[] = [];
  const blank = (): Told => states[states.push(new Told()) - 1]!;
  await readState(
    {
      log: new CheckedLog(log, new VirtualClock()),
      blank: blank as never,
      decode: ({ index }) => (index === 3 ? undefined : encodedBatch(index)),
      progress: (one) => progress.push(one),
    },
    head,
  );
  return { told: states.at(-1)!.calls, tries: states.length, progress };
}

describe('the state of a log', () => {
  it('is all that the log holds up to the head, and where its reading stands is told', async () => {
    const { told, progress } = await load(await logOf(5), 4);
    expect(told).toEqual([1, 2, '3 cannot be read', 4]);
    expect(progress).toEqual([{ index: 4, head: 4 }]);
  });

  it('holds what is pinned and still there once, and of what is pinned nothing past the head', async () => {
    const log = new MemoryEventLog();
    for (const key of ['a', 'b', 'c', 'd', 'e']) await log.append(new Uint8Array(1), { pins: [key] });
    await log.trim({ maxRecords: 2 });
    const telling = logAround(log, {
      async *pinned(options) {
        yield* log.pinned(options);
        // One that is still there, as a log may say while it is trimmed.
        for await (const chunk of log.read(4, 4)) yield chunk.map((record) => ({ ...record, pins: ['d'] }));
      },
    });
    const all = await load(telling, 5);
    expect(all.told).toEqual([['startAfter', 3, true], [1, 'a'], [2, 'b'], '3 cannot be read', 4, 5]);
    expect(all.progress.map(({ index }) => index)).toEqual([3, 0, 5]);
    const { told, progress } = await load(log, 2);
    expect(told).toEqual([
      ['startAfter', 2, true],
      [1, 'a'],
      [2, 'b'],
    ]);
    // Of pinned records that are all past the head, none has been read.
    expect(progress).toEqual([]);
  });

  it('is read a mebibyte at a time, and not at all where there is nothing before the head', async () => {
    const inner = await logOf(5);
    const asked: unknown[] = [];
    const log = logAround(inner, {
      read: (from, to, options) => (asked.push(['read', from, to, options]), inner.read(from, to, options)),
      pinned: (options) => (asked.push(['pinned', options]), inner.pinned(options)),
    });
    const maxBytes = 1024 * 1024;
    await load(log, 4);
    expect(asked.splice(0)).toEqual([
      ['pinned', { maxBytes }],
      ['read', 1, 4, { maxBytes }],
    ]);
    await inner.trim({ maxRecords: 2 });
    await load(log, 2);
    expect(asked).toEqual([['pinned', { maxBytes }]]);
  });

  it('is read without what is pinned where the log does not say that it pins', async () => {
    const log = await logOf(4);
    await log.trim({ maxRecords: 1 });
    const { pins: _, ...capabilities } = log.capabilities;
    expect((await load(logAround(log, { capabilities }), 4)).told).toEqual([['startAfter', 3, false], 4]);
  });

  it('begins with what is pinned, where older records are gone', async () => {
    const log = await logOf(5);
    await log.trim({ maxRecords: 2 });
    const { told } = await load(log, 5);
    expect(told).toEqual([['startAfter', 3, true], [2, 'k'], 4, 5]);
  });

  it('is what comes after the start of a log that pins none, and past its head nothing', async () => {
    const log = await logOf(5);
    await log.trim({ maxRecords: 2 });
    const plain = logAround(log, { capabilities: { ...log.capabilities, pins: false } });
    expect((await load(plain, 5)).told).toEqual([['startAfter', 3, false], 4, 5]);
    expect((await load(plain, 2)).told).toEqual([['startAfter', 2, false]]);
  });

  it('is read anew where the log was trimmed while it was read', async () => {
    const log = await logOf(5);
    let isTrimmed = false;
    const trimming = logAround(log, {
      async *read(from, to, options) {
        if (!isTrimmed) await log.trim({ maxRecords: 2 });
        isTrimmed = true;
        yield* log.read(from, to, options);
      },
    });
    const { told, tries } = await load(trimming, 5);
    expect(tries).toBe(2);
    expect(told).toEqual([['startAfter', 3, true], [2, 'k'], 4, 5]);
  });

  it.each([
    ['an outage', () => new BrokerError('log_unavailable', 'down'), 'log_unavailable'],
    ['what is no error of ours', () => new Error('disk'), 'log_unavailable'],
  ])('cannot be had with %s', async (_, fail, code) => {
    const log = logAround(await logOf(1), {
      read: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(fail()) }) }),
    });
    expect(await failureOf(() => load(log, 1))).toMatchObject({ code });
  });

  it('cannot be had of a log that does not name what it pins', async () => {
    const log = await logOf(3);
    await log.trim({ maxRecords: 1 });
    const nameless = logAround(log, {
      async *pinned(options) {
        for await (const chunk of log.pinned(options))
          yield chunk.map(({ index, kind, time, body }) => ({ index, kind, time, body }) as PinnedRecord);
      },
    });
    expect(await failureOf(() => load(nameless, 3))).toMatchObject({ code: 'log_unavailable' });
  });
});

describe('what follows a log', () => {
  it('is told each record once, and of a hole in a dense log', async () => {
    const record = (index: number) => ({ index, kind: 'events' as const, time: 0, body: new Uint8Array(1) });
    const told: unknown[] = [];
    const log = logAround(new MemoryEventLog(), {
      async tail(_, handler) {
        for (const indexes of [[3, 4], [3, 4], [4, 5], [8]]) await handler.records(indexes.map(record));
        return { stop: () => Promise.resolve() };
      },
    });
    await new CheckedLog(log, new VirtualClock()).tail(2, {
      records: (records) => void told.push(records.map(({ index }) => index)),
      gap: (gap) => void told.push(gap),
      reset: () => undefined,
      status: () => undefined,
    });
    expect(told).toEqual([[3, 4], [5], { after: 5, first: 8 }, [8]]);
  });
});
