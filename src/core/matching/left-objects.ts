import type { PartOrigin } from '../batch/state-part.ts';
import type { ObjectKey } from '../../model/event.ts';

/** So many objects that left an interest are remembered, for readers of it that are behind. */
const MAX_LEFT = 4096;

/** One that left. */
export interface Left {
  readonly object: ObjectKey;
  /** The batch that took it out of sight. */
  readonly by: PartOrigin;
}

/**
 * The objects that are no longer among what an interest matches, though nothing removed them: an event took them out of
 * its sight, by other filter keys or by a topic's rule. Its readers are told so; what the event holds they are not.
 */
export class LeftObjects {
  /** In the order in which they left. */
  readonly #left = new Map<string, Left>();
  #lastPosition = 0;
  #forgottenUpTo = 0;

  /** Position of the newest. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  /** Up to here some are not remembered any more. */
  get forgottenUpTo(): number {
    return this.#forgottenUpTo;
  }

  add(object: ObjectKey, by: PartOrigin): void {
    const name = nameOf(object);
    this.#left.delete(name);
    this.#left.set(name, { object, by });
    this.#lastPosition = by.position;
    const [oldest] = this.#left;
    if (this.#left.size <= MAX_LEFT || oldest === undefined) return;
    this.#left.delete(oldest[0]);
    this.#forgottenUpTo = oldest[1].by.position;
  }

  /** It is among what matches again. */
  remove(object: ObjectKey): void {
    if (this.#left.size > 0) this.#left.delete(nameOf(object));
  }

  /** Position of the first that left at `position` or later; Infinity when there is none. */
  next(position: number): number {
    if (position > this.#lastPosition) return Infinity;
    for (const { by } of this.#left.values()) if (by.position >= position) return by.position;
    return Infinity;
  }

  at(position: number): readonly Left[] {
    if (position > this.#lastPosition) return [];
    return [...this.#left.values()].filter(({ by }) => by.position === position);
  }
}

const nameOf = ({ topic, namespace, key }: ObjectKey): string => JSON.stringify([topic, namespace, key]);
