import type { Gap } from './event.ts';

/** One gap for two of which neither was told yet: it covers both, and says that the indexes began anew if one of them did. */
export function joinGaps(before: Gap | undefined, after: Gap): Gap {
  if (before === undefined) return after;
  const isRestart = before.reason === 'restarted' || before.reason === 'ahead';
  const isFollowUp = after.reason === 'trimmed' || after.reason === 'slow';
  if (isRestart && isFollowUp) return { ...before, to: Math.max(before.to, after.to) };
  return { ...after, from: Math.min(before.from, after.from) };
}
