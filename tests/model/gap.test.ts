import { describe, expect, it } from 'vitest';
import type { Gap, GapReason } from 'fenceline';
import { gapOf, isRestart, joinGaps } from '../../src/model/gap.ts';

/** Row: the gap that came first; column: the one after it; cell: the reason of both told as one. */
const joined: Readonly<Record<GapReason, Readonly<Record<GapReason, GapReason>>>> = {
  trimmed: { trimmed: 'trimmed', slow: 'slow', ahead: 'ahead', state: 'state', restarted: 'restarted' },
  slow: { trimmed: 'trimmed', slow: 'slow', ahead: 'ahead', state: 'state', restarted: 'restarted' },
  ahead: { trimmed: 'ahead', slow: 'ahead', ahead: 'ahead', state: 'state', restarted: 'restarted' },
  state: { trimmed: 'state', slow: 'state', ahead: 'state', state: 'state', restarted: 'restarted' },
  restarted: {
    trimmed: 'restarted',
    slow: 'restarted',
    ahead: 'restarted',
    state: 'restarted',
    restarted: 'restarted',
  },
};
const reasons = Object.keys(joined) as GapReason[];
const gap = (reason: GapReason, from: number, to: number, epoch?: string): Gap =>
  epoch === undefined ? { reason, from, to } : { reason, from, to, epoch };

describe('two gaps of which neither was told', () => {
  for (const before of reasons)
    for (const after of reasons) {
      it(`${before}, then ${after}, are one gap over both, ${joined[before][after]}`, () => {
        const reason = joined[before][after];
        expect(joinGaps(gap(before, 5, 9), gap(after, 3, 7))).toEqual(gap(reason, 3, 9));
        expect(joinGaps(gap(before, 2, 4), gap(after, 6, 8))).toEqual(gap(reason, 2, 8));
      });
      it(`${before}, then ${after}, keep the newest epoch that either names`, () => {
        const first = gap(before, 1, 2, 'a');
        expect(joinGaps(first, gap(after, 3, 4)).epoch).toBe('a');
        expect(joinGaps(first, gap(after, 3, 4, 'b')).epoch).toBe('b');
        expect(joinGaps(gap(before, 1, 2), gap(after, 3, 4, 'b')).epoch).toBe('b');
      });
    }

  it('a first gap stands as it is', () => {
    const first = gap('slow', 1, 2);
    expect(joinGaps(undefined, first)).toBe(first);
  });
});

describe('what a reader misses', () => {
  it('is nothing when it goes on where it was', () => {
    for (const reason of ['trimmed', 'slow', 'ahead'] as const) expect(gapOf(reason, 4, 4)).toBeUndefined();
  });

  it('lies between its position and where it goes on', () => {
    expect(gapOf('slow', 4, 9)).toEqual(gap('slow', 4, 8));
    expect(gapOf('ahead', 9, 4)).toEqual(gap('ahead', 4, 8));
  });

  it('is told of a restart even where no index lies between', () => {
    expect(gapOf('restarted', 9, 1, 'b')).toEqual(gap('restarted', 9, 9, 'b'));
  });

  it('begins the indexes anew after ahead, state and restarted alone', () => {
    expect(reasons.filter((reason) => isRestart(gap(reason, 1, 1)))).toEqual(['ahead', 'state', 'restarted']);
  });
});
