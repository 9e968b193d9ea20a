import type { CursorStart } from '../backlog/cursor.ts';
import { lastTrimmed } from '../backlog/event-cursor.ts';
import type { EventBuffer } from '../backlog/event-buffer.ts';
import type { Asked } from '../matching/interest.ts';
import { gapOf, type Gap } from '../../model/gap.ts';
import { gapError } from '../../model/gap-error.ts';
import type { CheckedSubscribe } from './subscribe-request.ts';

/** What is asked for, and from where. */
type StartRequest = Asked & Pick<CheckedSubscribe, 'index' | 'epoch' | 'failOnGap'>;

/** Where a start can lie. */
export interface StartRange {
  /** Oldest index that can be read at all: the log's, or the buffer's. */
  readonly first: number;
  /** Newest index. */
  readonly head: number;
}

/** What there is to start from. */
export interface StartFrom extends StartRange {
  readonly buffer: EventBuffer;
  /**
   * Trimmed history is known by topic and namespace, and indexes cannot go back within an epoch: the buffer's, not a
   * log's.
   */
  readonly isPrecise: boolean;
}

/**
 * Finds the first position, and what is missing before it. How far an index is believed: {@link placeOf}.
 * @throws BrokerError `gap` or `restarted` where a gap must fail
 */
export function startOf(request: StartRequest, from: StartFrom): CursorStart {
  const { index } = request;
  if (index === 'latest') return { position: from.buffer.head + 1 };
  if (index === 0) return { position: from.first };
  const start = startAt(index, request, from);
  if (start.gap !== undefined && request.failOnGap) throw gapError(start.gap);
  return start;
}

function startAt(index: number, request: StartRequest, from: StartFrom): CursorStart {
  const { first, head, buffer } = from;
  const oldest = buffer.indexAt(first);
  const place = placeOf(index, request.epoch, from);
  switch (place) {
    case 'restarted':
      return { position: first, gap: gapOf('restarted', index, oldest, buffer.epoch) };
    case 'ahead':
      return { position: first, gap: gapOf('ahead', index, oldest) };
    case 'cut':
      return { position: head + 1, gap: gapOf('ahead', index, head + 1) };
    default:
      return { position: Math.max(place, first), gap: trimmedBefore(place, request, from) };
  }
}

/**
 * Where an index lies, as far as it is believed: that is up to one past the newest, which waits. One further on is from
 * another run of indexes, unless the epoch says that it is from this one; then it waits too, or, where a log lost its
 * end, goes on after what is left.
 * @returns its position; `restarted`: the epoch is another one; `ahead`: it must be; `cut`: the log lost its end
 */
export function placeOf(
  index: number,
  epoch: string | undefined,
  { head, buffer, isPrecise }: Omit<StartFrom, 'first'>,
): number | 'restarted' | 'ahead' | 'cut' {
  if (epoch !== undefined && epoch !== buffer.epoch) return 'restarted';
  const position = buffer.positionOf(index);
  if (position <= head + 1) return position;
  if (epoch === undefined) return 'ahead';
  return isPrecise ? position : 'cut';
}

function trimmedBefore(position: number, asked: Asked, { buffer, first, isPrecise }: StartFrom): Gap | undefined {
  return buffer.inIndexes(gapOf('trimmed', position, isPrecise ? lastTrimmed(buffer, asked) + 1 : first));
}
