/** Counts per second, over the last so many seconds. Time never runs backwards here: give it a monotonic clock. */
export class Rate {
  /** Of the running second, and of the complete ones before it, by second modulo length. */
  readonly #counts: number[];
  #second = 0;

  constructor(seconds: number) {
    this.#counts = Array.from({ length: seconds + 1 }, () => 0);
  }

  add(count: number, nowMs: number): void {
    this.#goTo(nowMs);
    const place = this.#second % this.#counts.length;
    this.#counts[place] = (this.#counts[place] ?? 0) + count;
  }

  /** The complete seconds, the oldest first. The running one is left out: it would seem to fall. */
  perSecond(nowMs: number): readonly number[] {
    this.#goTo(nowMs);
    const { length } = this.#counts;
    const oldest = this.#second + 1;
    return Array.from({ length: length - 1 }, (_, i) => this.#counts[(oldest + i) % length] ?? 0);
  }

  /** Empties the places of the seconds that began since. */
  #goTo(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const first = Math.max(this.#second + 1, second - this.#counts.length + 1);
    for (let next = first; next <= second; next++) this.#counts[next % this.#counts.length] = 0;
    this.#second = Math.max(this.#second, second);
  }
}
