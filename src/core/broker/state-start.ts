import type { CursorStart } from '../backlog/cursor.ts';
import type { EventBuffer } from '../backlog/event-buffer.ts';
import type { RetainedState } from '../backlog/retained-state.ts';
import { anewGap, forgottenGap } from '../backlog/state-gap.ts';
import { markText, type StateMark } from '../backlog/state-mark.ts';
import { hasPlain } from '../backlog/state-reading.ts';
import type { Interest } from '../matching/interest.ts';
import { gapError } from '../../model/gap-error.ts';
import { gapOf, type Gap } from '../../model/gap.ts';
import type { Topics } from '../../model/topics.ts';
import { placeOf } from './start-position.ts';
import type { CheckedSubscribe } from './subscribe-request.ts';

/** What there is to start from. */
export interface StateStartFrom {
  readonly buffer: EventBuffer;
  readonly state: RetainedState;
  readonly topics: Topics;
  /** Trimmed history is known by topic and namespace: not a log's. */
  readonly isPrecise: boolean;
  /** What is shown rests on rights or on the host, not on what is asked for alone. */
  readonly isNarrowed: boolean;
}

type StateRequest = Pick<CheckedSubscribe, 'index' | 'epoch' | 'mark' | 'failOnGap'>;

/**
 * Finds where the reading of a state starts, and what is missing before it: the whole state, or what changed after an
 * index that the reader knows. An index is believed as that of a stream of events is.
 * @throws BrokerError `gap` or `restarted` where a gap must fail
 */
export function stateStartOf(request: StateRequest, interest: Interest, from: StateStartFrom): CursorStart {
  const start = startIn(request, interest, from);
  if (start.gap !== undefined && request.failOnGap) throw gapError(start.gap);
  return start;
}

function startIn(request: StateRequest, interest: Interest, from: StateStartFrom): CursorStart {
  const { buffer, state } = from;
  // Checked before: `latest` asks for no state.
  const index = request.index === 'latest' ? 0 : request.index;
  if (index === 0) return wholeFrom(buffer.head + 1, forgottenGap(from, interest), from);
  const position = placeOf(index, request.epoch, { ...from, head: buffer.head });
  if (position === 'restarted') return anew('restarted', interest, from);
  if (typeof position === 'string') return anew('ahead', interest, from);
  if (!isSameView(request.mark, interest, from.isNarrowed)) return anew('state', interest, from);
  const since = request.mark === undefined ? 0 : buffer.positionOf(request.mark.since + 1) - 1;
  const known = Math.max(position - 1, since);
  if (mayHaveLeft(interest, known, from) || state.hasLostSince(known, interest)) return anew('state', interest, from);
  return {
    position,
    gap: plainGap(position, interest, from),
    state: { since, plainFrom: position, isNarrowed: from.isNarrowed },
  };
}

const wholeFrom = (plainFrom: number, gap: Gap | undefined, { isNarrowed }: StateStartFrom): CursorStart => ({
  position: 1,
  gap,
  state: { since: undefined, plainFrom, isNarrowed },
});

/** The reader holds something that counts no more. */
function anew(reason: 'restarted' | 'ahead' | 'state', { view }: Interest, from: StateStartFrom): CursorStart {
  const { buffer, state } = from;
  const mark = markText({ view, since: buffer.indexAt(state.floor) });
  const about = reason === 'restarted' ? { epoch: buffer.epoch, mark } : { mark };
  return wholeFrom(buffer.first, anewGap(from, reason, about), from);
}

/**
 * Of what is not retained, as of any stream of events; what the buffer itself has trimmed is told when it is come to.
 */
function plainGap(position: number, asked: Interest, { buffer, topics, isPrecise }: StateStartFrom): Gap | undefined {
  if (isPrecise || !hasPlain(asked, topics)) return undefined;
  return buffer.inIndexes(gapOf('trimmed', position, buffer.first));
}

/**
 * Whether what the reader holds is of what it is shown now. Without a mark nobody knows that where rights decide what
 * is shown: they may have changed while it was away.
 */
function isSameView(mark: StateMark | undefined, { view, looksAtEvents }: Interest, isNarrowed: boolean): boolean {
  return mark === undefined ? !looksAtEvents && !isNarrowed : mark.view === view;
}

/**
 * Whether something that the reader holds may be out of its sight by now, and nobody could tell: what came before what
 * is known of a key may have matched.
 */
function mayHaveLeft(interest: Interest, known: number, { state, topics }: StateStartFrom): boolean {
  if (!isSelective(interest, topics)) return false;
  const isUnseen = interest.knowsLeftFrom > known + 1 && state.hasShiftedSince(known, interest);
  return isUnseen || state.lastLostKey(interest) > 0;
}

/** Not all events of an object need match it: it names keys or an alias, or a rule looks at what they hold. */
function isSelective({ filter, looksAtEvents, asksRules }: Interest, topics: Topics): boolean {
  const isPartial = ([topic, key]: readonly [string, string]): boolean =>
    key !== '*' || topics.definition(topic)?.aliasOf !== undefined;
  return asksRules || (looksAtEvents && topics.hasAliases) || filter.terms().some(isPartial);
}
