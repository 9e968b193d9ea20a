import type { Gap, GapReason } from './event.ts';

/** The indexes began anew: what was there under them means nothing. */
export const isRestart = ({ reason }: Gap): boolean => reason === 'restarted' || reason === 'ahead';

/** One gap for two of which neither was told yet: it covers both, and says that the indexes began anew if one of them did. */
export function joinGaps(before: Gap | undefined, after: Gap): Gap {
  if (before === undefined) return after;
  if (isRestart(before) && !isRestart(after)) return { ...before, to: Math.max(before.to, after.to) };
  return { ...after, from: Math.min(before.from, after.from) };
}

/**
 * What a reader misses that would have read on at `position` and goes on at `next`; undefined when that is nothing.
 * @param epoch with `restarted`: the epoch that holds from here on
 */
export function gapOf(reason: GapReason, position: number, next: number, epoch?: string): Gap | undefined {
  if (reason === 'restarted')
    return { from: position, to: Math.max(position, next - 1), reason, ...(epoch !== undefined && { epoch }) };
  const [from, end] = reason === 'ahead' ? [next, position] : [position, next];
  return from < end ? { from, to: end - 1, reason } : undefined;
}
