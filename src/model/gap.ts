/** Why events may be missing. */
export type GapReason =
  /** They had left the buffer (or the log) before the subscription asked for them. */
  | 'trimmed'
  /** The epoch is another one: the indexes that the reader knows mean nothing here. */
  | 'restarted'
  /** The log came back shorter than what the reader had seen: those indexes may be given again. */
  | 'ahead'
  /** They left the buffer while the subscription was open and did not read. */
  | 'slow'
  /**
   * With `state`: what changed can no longer be told one by one, since a removal is remembered no more, or other rights
   * show another state. What the reader holds counts no more; the whole state follows, from its oldest index on.
   */
  | 'state';

/** A stretch of indexes in which matching events may be missing. */
export interface Gap {
  /** First index that may be missing. */
  readonly from: number;
  /** Last index that may be missing. */
  readonly to: number;
  readonly reason: GapReason;
  /** With `restarted`: the epoch that holds from here on. */
  readonly epoch?: string;
  /** Where a state begins anew: its mark from here on. See `Subscription.mark`. */
  readonly mark?: string;
}

/**
 * What a reason says about the indexes, weakest first: of two gaps that are told as one, the stronger reason holds.
 * - `slow`, `trimmed`: events are missing, the indexes go on
 * - `ahead`: indexes from the gap's first on are given again
 * - `state`: all that is retained is given again
 * - `restarted`: no index that the reader knows means anything
 */
const strengthOf: Readonly<Record<GapReason, number>> = {
  slow: 0,
  trimmed: 0,
  ahead: 1,
  state: 2,
  restarted: 3,
};

/** The indexes begin anew: what the reader holds under them may not be what is there now. */
export const isRestart = ({ reason }: Pick<Gap, 'reason'>): boolean => strengthOf[reason] > 0;

/**
 * One gap for two of which the reader was told neither: all indexes of both, the stronger reason (the later of two that
 * are equal), and the newest epoch that either names, or a reader would resume in one that is over.
 */
export function joinGaps(before: Gap | undefined, after: Gap): Gap {
  if (before === undefined) return after;
  const { reason } = strengthOf[before.reason] > strengthOf[after.reason] ? before : after;
  return { ...before, ...after, from: Math.min(before.from, after.from), to: Math.max(before.to, after.to), reason };
}

/**
 * What a reader misses that would have read on at `position` and goes on at `next`; undefined when that is nothing.
 * @param epoch with `restarted`: the epoch that holds from here on
 */
export function gapOf(reason: GapReason, position: number, next: number, epoch?: string): Gap | undefined {
  if (reason === 'restarted')
    return { from: position, to: Math.max(position, next - 1), reason, ...(epoch !== undefined && { epoch }) };
  // `ahead` goes back: what lies between is given again.
  const [from, end] = reason === 'ahead' ? [next, position] : [position, next];
  return from < end ? { from, to: end - 1, reason } : undefined;
}
