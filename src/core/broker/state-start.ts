import type { CursorStart } from '../backlog/cursor.ts';
import type { EventBuffer } from '../backlog/event-buffer.ts';
import type { RetainedState } from '../backlog/retained-state.ts';
import { questionOf } from '../backlog/trim-memory.ts';
import type { Interest } from '../matching/interest.ts';
import { gapError } from '../../model/gap-error.ts';
import { gapOf, type Gap } from '../../model/gap.ts';
import type { Topics } from '../../model/topics.ts';
import type { CheckedSubscribe } from './subscribe-request.ts';

/** What there is to start from. */
export interface StateStartFrom {
  readonly buffer: EventBuffer;
  readonly state: RetainedState;
  readonly topics: Topics;
  /** Trimmed history is known by topic and namespace: not a log's. */
  readonly isPrecise: boolean;
}

type StateRequest = Pick<CheckedSubscribe, 'index' | 'epoch' | 'since' | 'failOnGap'>;

/**
 * Finds where the reading of a state starts, and what is missing before it: the whole state, or what changed after an
 * index that the reader knows. Whether an index is believed follows the same rule as that of a stream of events.
 * @throws BrokerError `gap` or `restarted` where a gap must fail
 */
export function stateStartOf(request: StateRequest, interest: Interest, from: StateStartFrom): CursorStart {
  const start = startIn(request, interest, from);
  if (start.gap !== undefined && request.failOnGap) throw gapError(start.gap);
  return start;
}

function startIn(request: StateRequest, interest: Interest, from: StateStartFrom): CursorStart {
  const { buffer, state, isPrecise } = from;
  const { head, epoch } = buffer;
  // Checked before: `latest` asks for no state.
  const index = request.index === 'latest' ? 0 : request.index;
  if (index === 0) return wholeFrom(head + 1, forgottenKeys(interest, from));
  if (request.epoch !== undefined && request.epoch !== epoch) return anew('restarted', from);
  const position = buffer.positionOf(index);
  if (position > head + 1 && request.epoch === undefined) return anew('ahead', from);
  if (position > head + 1 && !isPrecise) return anew('ahead', from);
  const since = request.since === undefined ? 0 : buffer.positionOf(request.since + 1) - 1;
  const known = Math.max(position - 1, since);
  const hasLeft =
    isSelective(interest, from.topics) && interest.knowsLeftFrom > known + 1 && state.hasShiftedSince(known, interest);
  if (hasLeft || state.hasLostSince(known, interest)) return anew('state', from);
  return { position, gap: plainGap(position, interest, from), state: { since, plainFrom: position } };
}

const wholeFrom = (plainFrom: number, gap: Gap | undefined): CursorStart => ({
  position: 1,
  gap,
  state: { since: undefined, plainFrom },
});

/** Keys of the state that are not known any more: what a newcomer misses. */
function forgottenKeys(interest: Interest, { buffer, state }: StateStartFrom): Gap | undefined {
  return buffer.inIndexes(gapOf('trimmed', 1, state.lastLostKey(interest) + 1));
}

/** The reader holds something that counts no more. */
function anew(reason: 'restarted' | 'ahead' | 'state', { buffer, state }: StateStartFrom): CursorStart {
  const oldest = buffer.indexAt(state.oldest ?? buffer.head + 1);
  const epoch = reason === 'restarted' ? { epoch: buffer.epoch } : {};
  const since = buffer.indexAt(state.lastRemoval);
  const gap: Gap = { from: oldest, to: Math.max(oldest, buffer.latestIndex), reason, ...epoch, since };
  return wholeFrom(buffer.first, gap);
}

/** Of what is not retained, as of any stream of events. */
function plainGap(position: number, asked: Interest, { buffer, topics, isPrecise }: StateStartFrom): Gap | undefined {
  if (isPrecise || position >= buffer.first || [...asked.filter.topics].every((name) => topics.retains(name)))
    // What the buffer knows to have trimmed is told when it is come to.
    return undefined;
  const question = { ...questionOf(asked), skips: (topic: string) => topics.retains(topic) };
  const last = Math.max(buffer.first - 1, buffer.lastTrimmedFor(question));
  return buffer.inIndexes(gapOf('trimmed', position, last + 1));
}

/** Not all events of a key need match it: it names keys or an alias, or looks at each event. */
function isSelective({ filter, looksAtEvents }: Interest, topics: Topics): boolean {
  const isPartial = ([topic, key]: readonly [string, string]): boolean =>
    key !== '*' || topics.definition(topic)?.aliasOf !== undefined;
  return looksAtEvents || filter.terms().some(isPartial);
}
