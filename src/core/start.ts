import { lastTrimmed, type CursorStart } from './cursor.ts';
import { BrokerError } from './errors.ts';
import type { Gap } from './event.ts';
import type { EventBuffer } from './event-buffer.ts';
import { gapOf } from './gap.ts';
import type { CheckedSubscribe } from './subscribe-request.ts';

/** What there is to start from. */
export interface StartFrom {
  readonly buffer: EventBuffer;
  readonly epoch: string;
  /** Oldest index that can be read at all: the log's, or the buffer's. */
  readonly first: number;
  /** Trimmed history is known by topic and namespace: the buffer's is, a log's is not. */
  readonly isPrecise: boolean;
}

/** Finds the first position, and what is missing before it. @throws BrokerError `gap` or `restarted` where a gap must fail */
export function startOf(request: CheckedSubscribe, from: StartFrom): CursorStart {
  const { index } = request;
  if (index === 'latest') return { position: from.buffer.head + 1 };
  if (index === 0) return { position: from.first };
  const gap = gapBefore(index, request, from);
  if (gap !== undefined && request.failOnGap) throw gapError(gap);
  const position = gap?.reason === 'restarted' ? from.first : Math.max(index, from.first);
  return { position, gap };
}

function gapBefore(index: number, request: CheckedSubscribe, from: StartFrom): Gap | undefined {
  const { epoch } = request;
  if (epoch !== undefined && epoch !== from.epoch) return gapOf('restarted', index, from.first, from.epoch);
  return gapOf('trimmed', index, from.isPrecise ? lastTrimmed(from.buffer, request) + 1 : from.first);
}

/** The error of a gap, for who asked to fail on one. */
export function gapError({ from, to, reason }: Gap): BrokerError {
  switch (reason) {
    case 'trimmed':
      return new BrokerError('gap', `Batches ${from} to ${to} were trimmed.`);
    case 'slow':
      return new BrokerError('slow', `Batches ${from} to ${to} were trimmed unread.`);
    case 'restarted':
    case 'ahead':
      return new BrokerError('restarted', `The indexes begin anew: what came from ${from} on is not known here.`);
  }
}
