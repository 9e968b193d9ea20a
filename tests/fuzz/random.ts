import { seeded } from '../client/random.ts';

/** Seeded choices: equal seeds, equal inputs. */
export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seeded(seed);
  }

  /** From 0 up to `limit`, exclusive. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  chance(part: number): boolean {
    return this.#next() < part;
  }

  pick<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)];
    if (one === undefined) throw new RangeError('There is nothing to pick from.');
    return one;
  }
}
