import { objectName, type PartOrigin } from '../batch/state-part.ts';
import type { ObjectKey } from '../../model/event.ts';
import { PositionList, type Positioned } from './position-list.ts';

/** So many objects that left an interest are remembered, for readers of it that are behind. */
const MAX_LEFT = 4096;

/** One that left. */
export interface Left {
  readonly object: ObjectKey;
  /** The batch that took it out of sight. */
  readonly by: PartOrigin;
}

interface Entry extends Left, Positioned {
  isDead: boolean;
}

/**
 * The objects that are no longer among what an interest matches, though nothing removed them: an event took them out of
 * its sight, by other filter keys or by a topic's rule. Its readers are told so; what the event holds they are not.
 */
export class LeftObjects {
  readonly #byName = new Map<string, Entry>();
  /** In the order in which they left. */
  readonly #list = new PositionList<Entry>();
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
    this.remove(object);
    const entry: Entry = { object, by, position: by.position, isDead: false };
    this.#byName.set(objectName(object), entry);
    this.#list.push(entry);
    this.#lastPosition = by.position;
    const { oldest } = this.#list;
    if (this.#list.size <= MAX_LEFT || oldest === undefined) return;
    this.remove(oldest.object);
    this.#forgottenUpTo = oldest.position;
  }

  /** It is among what matches again. */
  remove(object: ObjectKey): void {
    if (this.#byName.size === 0) return;
    const name = objectName(object);
    const entry = this.#byName.get(name);
    if (entry === undefined) return;
    this.#byName.delete(name);
    entry.isDead = true;
    this.#list.countDead();
  }

  /** Position of the first that left at `position` or later; Infinity when there is none. */
  next(position: number): number {
    return this.#list.find(position, all)?.position ?? Infinity;
  }

  at(position: number): Iterable<Left> {
    return this.#list.at(position);
  }
}

const all = (): boolean => true;
