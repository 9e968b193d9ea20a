import type { Position } from '../read-position.ts';

/** How far another reader is, beside one's own: `unknown` where their indexes cannot be compared. */
export type Standing = 'behind' | 'same' | 'ahead' | 'unknown';

/**
 * How far a reader at `theirs` is, beside one at `mine`. Indexes say so within one epoch alone; of a state, only where
 * both read the same view of it, and the other is told of every removal that comes after `mine`. Of a server that names
 * no epoch, equal places are the same and others unknown.
 */
export function standing(mine: Position, theirs: Position): Standing {
  if (JSON.stringify(mine) === JSON.stringify(theirs)) return 'same';
  const isComparable = mine.epoch !== undefined && mine.epoch === theirs.epoch && viewOf(mine) === viewOf(theirs);
  if (!isComparable || mine.index === 'latest' || theirs.index === 'latest') return 'unknown';
  if (mine.index <= spared(theirs)) return 'unknown';
  const ahead = theirs.index - mine.index || (theirs.appended ?? 0) - (mine.appended ?? 0);
  return ahead === 0 ? 'same' : ahead > 0 ? 'ahead' : 'behind';
}

/** A mark is `<view>.<index>`. Two readers of one view see the same, wherever each began. */
const viewOf = ({ mark }: Position): string | undefined => mark?.replace(/\.[^.]*$/, '');

/** Who began at this index of a state is spared the removals up to it. */
const spared = ({ mark }: Position): number => Number(/\.(\d+)$/.exec(mark ?? '')?.[1] ?? -1);
