import { describe, expect, it } from 'vitest';
import { ageText, bytesText, cellsOf, factsOf, restText } from '../../src/explorer/page/operator-text.ts';

const stats = { bufferedBatches: 0, bufferedBytes: 0, oldestIndex: 0, latestIndex: 0, ended: {} };
const stream = {
  filter: 'Job:*',
  namespaces: ['a', 'b'],
  reads: 'events',
  by: 'transport',
  state: 'blocked',
  position: 7,
  lag: 3,
  since: 1000,
};

describe('the operator’s figures in words', () => {
  it.each([
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_599_999, '59 min'],
    [3_600_000, '1 h'],
    [86_400_000, '1 d'],
  ])('an age of %d ms is %s', (ms, text) => {
    expect(ageText(ms)).toBe(text);
  });

  it.each([
    [undefined, 'unknown'],
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [20 * 1024 ** 2, '20 MiB'],
    [5000 * 1024 ** 3, '5000 GiB'],
  ])('%s bytes are %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it('name states and ends with the most first, the backlog by its indexes, and the log’s status', () => {
    const report = {
      stats: {
        ...stats,
        bufferedBatches: 2,
        bufferedBytes: 2048,
        oldestIndex: 4,
        latestIndex: 5,
        ended: { slow: 1, none: 9 },
        log: 'up',
      },
      streams: 3,
      states: { blocked: 1, synced: 2 },
      waitingBytes: 10,
      shown: [],
    };
    expect(Object.fromEntries(factsOf(report))).toEqual({
      Streams: '3: 2 synced, 1 blocked',
      'Bytes that wait': '10 B',
      Backlog: '2 batches, 2.0 KiB, indexes 4 to 5',
      Log: 'up',
      Ended: '9 none, 1 slow',
    });
    const nothing = { stats, streams: 0, states: {}, waitingBytes: 0, shown: [] };
    expect(factsOf(nothing).map(([, text]) => text)).toEqual(['0', '0 B', 'empty', 'none', 'none']);
  });

  it('have a cell for each fact of a stream, and say where one is not known', () => {
    expect(cellsOf(stream, 61_000)).toEqual(['–', 'Job:*', 'a, b', 'events', 'blocked', '7', '3', 'unknown', '1 min']);
    const local = { ...stream, accessorId: 'alice', by: 'process', waitingBytes: 0 };
    expect(cellsOf(local, 1000).slice(0, 4)).toEqual(['alice', 'Job:*', 'a, b', 'events, in process']);
  });

  it('say that not all are shown, where that is so', () => {
    const report = { stats, states: {}, waitingBytes: 0, shown: [stream] };
    expect(restText({ ...report, streams: 1 })).toBe('');
    expect(restText({ ...report, streams: 2 })).toBe('The 1 that are furthest behind are shown, of 2.');
  });
});
