import { lowerBound } from '../../model/lower-bound.ts';

/** What stands in a {@link PositionList}. */
export interface Positioned {
  readonly position: number;
  /** Something newer took its place: it is passed over, and goes when the list is tidied. */
  readonly isDead: boolean;
}

/** Below so many dead ones a list is not worth tidying. */
const MIN_DEAD = 32;

/**
 * Entries in the order of their positions, to which newer ones are added at the end, and of which any may die. Finding
 * a position takes a binary search; adding and dying take constant time on average, since a list is tidied when half
 * of it is dead.
 */
export class PositionList<E extends Positioned> {
  #entries: E[] = [];
  #dead = 0;
  /** All before it are dead. */
  #first = 0;

  push(entry: E): void {
    this.#entries.push(entry);
  }

  /** One of its entries has died. */
  countDead(): void {
    this.#dead++;
    if (this.#dead < MIN_DEAD || this.#dead * 2 < this.#entries.length) return;
    this.#entries = this.#entries.filter(({ isDead }) => !isDead);
    this.#dead = this.#first = 0;
  }

  /** How many live. */
  get size(): number {
    return this.#entries.length - this.#dead;
  }

  /** The oldest that lives. */
  get oldest(): E | undefined {
    while (this.#entries[this.#first]?.isDead === true) this.#first++;
    return this.#entries[this.#first];
  }

  /** Those that live, from `position` on, oldest first. The list must not change meanwhile. */
  *from(position: number): Generator<E, undefined, undefined> {
    for (let place = this.#placeOf(position); ; place++) {
      const entry = this.#entries[place];
      if (entry === undefined) return undefined;
      if (!entry.isDead) yield entry;
    }
  }

  /** Those that live and stand at `position`. The list must not change meanwhile. */
  *at(position: number): Generator<E, undefined, undefined> {
    for (const entry of this.from(position)) {
      if (entry.position !== position) return undefined;
      yield entry;
    }
    return undefined;
  }

  /** The first from `position` on that lives and passes. The list must not change meanwhile. */
  find(position: number, passes: (entry: E) => boolean): E | undefined {
    for (let place = this.#placeOf(position); ; place++) {
      const entry = this.#entries[place];
      if (entry === undefined || (!entry.isDead && passes(entry))) return entry;
    }
  }

  #placeOf(position: number): number {
    return lowerBound(this.#first, this.#entries.length, (place) => {
      return (this.#entries[place] as E).position < position;
    });
  }
}
