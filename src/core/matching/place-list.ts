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

  get size(): number {
    return this.#items.length;
  }

  /** Does nothing for one that is there. */
  add(item: T): void {
    if (item.place < 0) item.place = this.#items.push(item) - 1;
  }

  /** The last one takes its place. */
  remove(item: T): void {
    if (!this.has(item)) return;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#items[item.place] = last;
      last.place = item.place;
    }
    item.place = -1;
  }

  has(item: T): boolean {
    return this.#items[item.place] === item;
  }

  /** All at this moment. Where one may leave while another is called, {@link has} is asked when its turn comes. */
  all(): readonly T[] {
    return [...this.#items];
  }

  /** Takes all out. */
  takeAll(): readonly T[] {
    const items = this.#items;
    this.#items = [];
    for (const item of items) item.place = -1;
    return items;
  }
}
