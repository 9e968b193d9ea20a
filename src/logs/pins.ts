/** Which record holds the newest of each key, and for which keys a record does so. */
export class Pins {
  readonly #indexOf = new Map<string, number>();
  readonly #keysAt = new Map<number, Set<string>>();

  /** The keys that are pinned to a record; undefined when none is. */
  keysAt(index: number): ReadonlySet<string> | undefined {
    return this.#keysAt.get(index);
  }

  /**
   * A record was appended.
   * @returns the records that no key needs any more
   */
  change(index: number, pins: readonly string[], unpins: readonly string[]): readonly number[] {
    const freed: number[] = [];
    for (const key of [...pins, ...unpins]) {
      const before = this.#indexOf.get(key);
      if (before !== undefined && this.#release(key, before)) freed.push(before);
    }
    for (const key of pins) this.#pin(key, index);
    return freed;
  }

  #pin(key: string, index: number): void {
    const keys = this.#keysAt.get(index) ?? new Set();
    this.#keysAt.set(index, keys.add(key));
    this.#indexOf.set(key, index);
  }

  /** @returns whether no key is left there */
  #release(key: string, index: number): boolean {
    this.#indexOf.delete(key);
    const keys = this.#keysAt.get(index);
    keys?.delete(key);
    return keys?.size === 0 && this.#keysAt.delete(index);
  }
}
