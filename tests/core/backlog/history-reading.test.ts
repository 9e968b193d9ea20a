import { describe, expect, it } from 'vitest';

import { HistoryReading, type History } from '../../../src/core/backlog/history-reading.ts';
import type { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import { BrokerError } from '../../../src/model/errors.ts';
import { failureOf } from '../../conformance/reading.ts';
import { encodedBatch } from '../event-fixtures.ts';

/** What a log gives: chunks, then its end, or what it throws there. */
function historyOf(chunks: readonly (readonly EncodedBatch[])[], error?: Error): History {
  return {
    async *read() {
      yield* chunks;
      if (error) throw error;
    },
    state: () => Promise.resolve({ first: 7 }),
  };
}

/** Reads all batches of the chunk at hand. */
function chunkOf(reading: HistoryReading): readonly number[] {
  const indexes: number[] = [];
  for (; reading.batch !== undefined; reading.advance()) indexes.push(reading.batch.index);
  return indexes;
}

describe('a way through a stretch of the log', () => {
  it('is a chunk at a time; an empty one is passed, and its end is told', async () => {
    const reading = new HistoryReading(historyOf([[encodedBatch(3), encodedBatch(4)], [], [encodedBatch(6)]]), 3, 8);
    expect([reading.batch, reading.next]).toEqual([undefined, 3]);
    expect([await reading.fetch(), chunkOf(reading), reading.next]).toEqual(['more', [3, 4], 5]);
    expect([await reading.fetch(), chunkOf(reading), reading.next]).toEqual(['more', [], 5]);
    expect([await reading.fetch(), chunkOf(reading), reading.next]).toEqual(['more', [6], 7]);
    expect(await reading.fetch()).toBe('over');
  });

  it('is fetching until the chunk has come, or has failed', async () => {
    const reading = new HistoryReading(historyOf([[encodedBatch(1)]], new Error('of the log')), 1, 2);
    expect(reading.isFetching).toBe(false);
    const fetching = reading.fetch();
    expect(reading.isFetching).toBe(true);
    await fetching;
    expect(reading.isFetching).toBe(false);
    await expect(reading.fetch()).rejects.toThrow('of the log');
    expect(reading.isFetching).toBe(false);
  });

  it('says where the log begins where some of it is gone, and fails with everything else', async () => {
    const trimmed = new HistoryReading(historyOf([], new BrokerError('gap', 'gone')), 1, 2);
    expect(await trimmed.fetch()).toEqual({ kind: 'trimmed', first: 7 });
    const down = new HistoryReading(historyOf([], new BrokerError('log_unavailable', 'down')), 1, 2);
    expect(await failureOf(() => down.fetch())).toMatchObject({ code: 'log_unavailable' });
  });
});
