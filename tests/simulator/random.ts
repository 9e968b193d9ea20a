/** Numbers that a seed decides, everywhere the same: mulberry32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 up to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to `end`, without `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<const V>(values: readonly V[]): V {
    return values[this.below(values.length)] as V;
  }

  /** Each with the same chance to be among them. */
  some<const V>(values: readonly V[]): V[] {
    return values.filter(() => this.chance(0.5));
  }

  /** One of them, each as often as its weight says. */
  weighted<V>(choices: readonly (readonly [number, V])[]): V {
    let left = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) if ((left -= weight) < 0) return value;
    return (choices.at(-1) as readonly [number, V])[1];
  }

  /** A seed for something with numbers of its own, so that what happens to others does not change them. */
  seed(): number {
    return this.below(2 ** 31);
  }
}
