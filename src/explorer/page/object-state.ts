import type { Event, EventBatch, Gap, ObjectKey } from '../../client/index.ts';
import { isRestart } from '../../model/gap.ts';

/** An object of the state: the newest event that told of it. */
export interface StateObject {
  /** Topic, namespace and key in one text, by which objects are in order. */
  readonly id: string;
  /** When it came; undefined where that was before the page looked. */
  readonly at: Date | undefined;
  readonly event: Event;
  /** The event in whose place it stands, where that was seen. */
  readonly before: Event | undefined;
}

/** What the reader is told of the state as a whole: it is being read, or what is here is complete. */
export type StateProgress = 'reading' | 'current';

/** A mirror of the server's state, in the order of topic, namespace and key; the newest event of each object. */
export class ObjectState {
  readonly #maxObjects: number;
  readonly #objects = new Map<string, StateObject>();
  /** Their ids, in order. */
  #order: string[] = [];
  #changed = new Set<string>();
  #progress: StateProgress = 'reading';
  #isPartial = false;

  /** @param maxObjects further ones are not held, which {@link isPartial} says */
  constructor(maxObjects: number) {
    this.#maxObjects = maxObjects;
  }

  get size(): number {
    return this.#objects.size;
  }

  get progress(): StateProgress {
    return this.#progress;
  }

  /** Some objects are not here, since there are too many. */
  get isPartial(): boolean {
    return this.#isPartial;
  }

  take({ events, removed = [], current }: EventBatch, at: Date | undefined): void {
    for (const event of events) this.#set(event, at);
    // After the events: one of them may be what removed it.
    for (const object of removed) this.#delete(idOf(object));
    if (current) this.#progress = 'current';
  }

  /**
   * What is held counts no more where the state begins anew; after the other gaps it is true, and so are its changes.
   */
  gap({ reason }: Pick<Gap, 'reason'>): void {
    if (isRestart({ reason })) this.clear();
  }

  /** The newest event of an object, with the one before. */
  get(object: ObjectKey): StateObject | undefined {
    return this.#objects.get(idOf(object));
  }

  clear(): void {
    for (const id of this.#order) this.#changed.add(id);
    this.#objects.clear();
    this.#order = [];
    this.#progress = 'reading';
    this.#isPartial = false;
  }

  /** In order. */
  *[Symbol.iterator](): Generator<StateObject, void> {
    for (const id of this.#order) {
      const object = this.#objects.get(id);
      if (object) yield object;
    }
  }

  /** The ids of what came, changed and went since it was last asked. */
  takeChanged(): ReadonlySet<string> {
    const changed = this.#changed;
    if (changed.size > 0) this.#changed = new Set();
    return changed;
  }

  #set(event: Event, at: Date | undefined): void {
    const id = idOf(event);
    const before = this.#objects.get(id)?.event;
    if (before === undefined) {
      if (this.#objects.size >= this.#maxObjects) {
        this.#isPartial = true;
        return;
      }
      this.#order.splice(this.#placeOf(id), 0, id);
    }
    this.#objects.set(id, { id, at, event, before });
    this.#changed.add(id);
  }

  #delete(id: string): void {
    if (!this.#objects.delete(id)) return;
    this.#order.splice(this.#placeOf(id), 1);
    this.#changed.add(id);
  }

  /** Where it stands, or would: found by halving. */
  #placeOf(id: string): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#order[middle] as string) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Names an object. Two never have the same: what stands between the names is escaped within them. */
export function idOf({ topic, namespace, key }: ObjectKey): string {
  return [topic, namespace, key].map((name) => JSON.stringify(name)).join(' ');
}
