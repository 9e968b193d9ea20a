/** The last `capacity` items that were pushed. A new one takes the place of the oldest. */
export class Ring<T> {
  readonly #capacity: number;
  readonly #items: T[] = [];
  #pushed = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many items were ever pushed: the number of the next one. */
  get pushed(): number {
    return this.#pushed;
  }

  push(item: T): void {
    this.#items[this.#pushed++ % this.#capacity] = item;
  }

  /** Those still held whose number is at least `from`, the newest first. */
  *newestFirst(from = 0): Generator<T, void> {
    const oldest = Math.max(from, this.#pushed - this.#capacity);
    for (let number = this.#pushed - 1; number >= oldest; number--) yield this.#items[number % this.#capacity] as T;
  }

  clear(): void {
    this.#items.length = 0;
    this.#pushed = 0;
  }
}
