import type { BatchPart, EncodedBatch } from '../batch/encoded-batch.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import { objectOf, StatePart } from '../batch/state-part.ts';
import type { Interest } from '../matching/interest.ts';
import type { ObjectKey } from '../../model/event.ts';
import type { StateEntry } from './state-entry.ts';

/** What a batch changed of one key. */
export interface StateChange {
  /** What is known of the key from now on. */
  readonly entry: StateEntry;
  /** Events of the key that somebody may hold: what stood there before, and others of the same batch. */
  readonly before: readonly EncodedEvent[];
  /** Some reader may see one of those and not the new one. */
  readonly mayPart: boolean;
}

/**
 * The part of a new batch for an interest in the state, and what it says of objects that are no longer among what
 * matches. These are remembered for readers that are behind.
 * @param hits places of the events that match
 * @returns undefined where there is neither
 */
export function statePartOf(
  interest: Interest,
  batch: EncodedBatch,
  hits: readonly number[],
  changes: readonly StateChange[],
): BatchPart | undefined {
  const removed: ObjectKey[] = [];
  const places = new Set(hits);
  for (const { entry, before, mayPart } of changes) {
    const isMatch = places.has(entry.place);
    if (isMatch && !entry.isRemoval) interest.left?.remove(entry.event);
    else if (isMatch) removed.push(objectOf(entry.event));
    else if (mayPart && before.some((event) => interest.passes(event))) removed.push(leaves(interest, entry));
  }
  if (removed.length === 0) return hits.length === 0 ? undefined : batch.part(hits);
  return new StatePart(batch, eventsAt(batch, hits), Object.freeze(removed));
}

/** What stood where a batch has changed keys, as far as its readers may not see what took its place. */
export function partedEvents(changes: readonly StateChange[]): readonly EncodedEvent[] {
  return changes.flatMap(({ before, mayPart }) => (mayPart ? before : []));
}

function leaves(interest: Interest, by: StateEntry): ObjectKey {
  const object = objectOf(by.event);
  // Not the entry itself: it would keep its event.
  interest.leftObjects.add(object, { index: by.index, position: by.position, appended: by.appended });
  return object;
}

const eventsAt = ({ events }: EncodedBatch, places: readonly number[]): readonly EncodedEvent[] =>
  places.map((place) => events[place] as EncodedEvent);
