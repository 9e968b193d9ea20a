/**
 * Lets so many pieces of work run at once; the others wait, first come, first served. Whoever has many pieces asks anew
 * for each, and so takes turns with the others. What waits is bounded by those who ask: a reader asks for one piece at
 * a time.
 */
export class FairLimit {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  async run<R>(work: () => Promise<R>): Promise<R> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  /** The place goes to who waits longest, or is free. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
