/** Who stands in a {@link PlaceList} remembers where, so that leaving costs the same however many there are. */
export interface Placed {
  /** Kept by the list; -1 while it stands in none. */
  place: number;
}

/**
 * A set in an array: adding, leaving and walking cost no more than an array's, where a Set for each interest would cost
 * memory.
 */
export class PlaceList<T extends Placed> {
  #items: T[] = [];
  /**
   * Somebody walks it as it is: who changes it copies it first. A flush is walked far more often than members change.
   */
  #isLent = false;

  get size(): number {
    return this.#items.length;
  }

  /** Does nothing for one that is there. */
  add(item: T): void {
    if (item.place < 0) item.place = this.#own().push(item) - 1;
  }

  /** The last one takes its place. */
  remove(item: T): void {
    if (!this.has(item)) return;
    const items = this.#own();
    const last = items.pop();
    if (last !== undefined && last !== item) {
      items[item.place] = last;
      last.place = item.place;
    }
    item.place = -1;
  }

  has(item: T): boolean {
    return this.#items[item.place] === item;
  }

  /**
   * All at this moment, whatever comes and goes later. Where one may leave while another is called, {@link has} is
   * asked when its turn comes.
   */
  all(): readonly T[] {
    this.#isLent = true;
    return this.#items;
  }

  /** Takes all out. */
  takeAll(): readonly T[] {
    const items = this.#items;
    this.#items = [];
    this.#isLent = false;
    for (const item of items) item.place = -1;
    return items;
  }

  #own(): T[] {
    if (this.#isLent) this.#items = [...this.#items];
    this.#isLent = false;
    return this.#items;
  }
}
