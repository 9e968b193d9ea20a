import { lastTrimmed, type CursorStart } from '../backlog/cursor.ts';
import { BrokerError } from '../../model/errors.ts';
import type { Gap } from '../../model/event.ts';
import type { EventBuffer } from '../backlog/event-buffer.ts';
import { gapOf, isRestart } from '../../model/gap.ts';
import type { Asked } from '../matching/interest.ts';
import type { CheckedSubscribe } from './subscribe-request.ts';

/** Where a start can lie. */
export interface Range {
  /** Oldest index that can be read at all: the log's, or the buffer's. */
  readonly first: number;
  /** Newest index of the log; Infinity where it does not matter: what the buffer holds is there, and who names no epoch may wait for what is to come. */
  readonly head: number;
}

/** What there is to start from. */
export interface StartFrom extends Range {
  readonly buffer: EventBuffer;
  readonly epoch: string;
  /** Trimmed history is known by topic and namespace: the buffer's is, a log's is not. */
  readonly isPrecise: boolean;
}

/** Finds the first position, and what is missing before it. @throws BrokerError `gap` or `restarted` where a gap must fail */
export function startOf(request: CheckedSubscribe, from: StartFrom): CursorStart {
  const { index, epoch = from.epoch } = request;
  if (index === 'latest') return { position: from.buffer.head + 1 };
  if (index === 0) return { position: from.first };
  const isOther = epoch !== from.epoch;
  const gap = isOther ? gapOf('restarted', index, from.first, from.epoch) : gapBefore(index, request, from);
  if (gap !== undefined && request.failOnGap) throw gapError(gap);
  return { position: isOther ? from.first : Math.max(Math.min(index, from.head + 1), from.first), gap };
}

function gapBefore(index: number, asked: Asked, { buffer, first, head, isPrecise }: StartFrom): Gap | undefined {
  const oldest = isPrecise ? lastTrimmed(buffer, asked) + 1 : first;
  return gapOf('ahead', index, head + 1) ?? gapOf('trimmed', index, oldest);
}

/** The error of a gap, for who asked to fail on one. */
export function gapError(gap: Gap): BrokerError {
  const { from, to, reason } = gap;
  if (isRestart(gap))
    return new BrokerError('restarted', `The indexes begin anew: what came from ${from} on is not known here.`);
  return new BrokerError(reason === 'slow' ? 'slow' : 'gap', `Batches ${from} to ${to} were trimmed.`);
}
