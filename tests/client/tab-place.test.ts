import { describe, expect, it } from 'vitest';
import type { Position } from '../../src/client/index.ts';
import { type Standing, standing } from '../../src/client/tabs/tab-place.ts';

describe('how far another tab is', () => {
  it.each<[string, Position, Position, Standing]>([
    ['the same place', { index: 5, epoch: 'e' }, { index: 5, epoch: 'e' }, 'same'],
    ['further on', { index: 5, epoch: 'e' }, { index: 6, epoch: 'e' }, 'ahead'],
    ['further back', { index: 5, epoch: 'e' }, { index: 4, epoch: 'e' }, 'behind'],
    ['an index of another run', { index: 5, epoch: 'e' }, { index: 5, epoch: 'f' }, 'unknown'],
    ['an index of no run', { index: 5 }, { index: 6 }, 'unknown'],
    ['more that was appended', { index: 5, epoch: 'e' }, { index: 5, epoch: 'e', appended: 2 }, 'ahead'],
    ['less of it', { index: 5, epoch: 'e', appended: 2 }, { index: 5, epoch: 'e', appended: 1 }, 'behind'],
    ['the same batches of Nomad', { index: 5, seen: ['a'] }, { index: 5, seen: ['a'] }, 'same'],
    ['others of them', { index: 5, seen: ['a'] }, { index: 5, seen: ['b'] }, 'unknown'],
    ['what comes, both', { index: 'latest' }, { index: 'latest' }, 'same'],
    ['what comes, one of them', { index: 'latest', epoch: 'e' }, { index: 5, epoch: 'e' }, 'unknown'],
    ['the same view', { index: 9, epoch: 'e', mark: 'v.2' }, { index: 9, epoch: 'e', mark: 'v.7' }, 'same'],
    ['another view', { index: 9, epoch: 'e', mark: 'v.2' }, { index: 9, epoch: 'e', mark: 'w.2' }, 'unknown'],
    ['a view that only one has', { index: 9, epoch: 'e' }, { index: 9, epoch: 'e', mark: 'w.2' }, 'unknown'],
    [
      'one that is spared removals which are still to come here',
      { index: 7, epoch: 'e', mark: 'v.2' },
      { index: 4, epoch: 'e', mark: 'v.7' },
      'unknown',
    ],
  ])('%s', (_, mine, theirs, expected) => {
    expect(standing(mine, theirs)).toBe(expected);
  });
});
