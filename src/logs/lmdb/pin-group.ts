import type { AppendRequest } from '../append-request.ts';
import type { LogStore } from './log-store.ts';
import type { PinChange } from './pin-tables.ts';

/** The pins of the appends of one commit: of each key, only the last one counts. */
export class PinGroup {
  readonly #keys = new Map<string, number | undefined>();

  /** How many keys the commit has to look up. */
  get size(): number {
    return this.#keys.size;
  }

  /** The record at `index` will be appended. */
  add({ pins, unpins }: AppendRequest, index: number): void {
    for (const key of unpins) this.#keys.set(key, undefined);
    for (const key of pins) this.#keys.set(key, index);
  }

  changeIn(store: LogStore): PinChange {
    const counts = new Map<number, number>();
    const count = (index: number | undefined, by: number) => {
      if (index !== undefined) counts.set(index, (counts.get(index) ?? store.pins.countOf(index)) + by);
    };
    for (const [key, index] of this.#keys) {
      count(store.pins.indexOf(key), -1);
      count(index, 1);
    }
    return { keys: this.#keys, counts };
  }
}

/**
 * Which records a commit removes: those from `first` to before `nextFirst` that are not pinned, and those before that
 * no key is pinned to any more.
 */
export function removedBy({ counts }: PinChange, store: LogStore, first: number, nextFirst: number): number[] {
  const wasPinned = new Set(store.pins.indexesIn(first, nextFirst));
  const removed = [...counts].flatMap(([index, count]) => (index < first && count === 0 ? [index] : []));
  for (let index = first; index < nextFirst; index++) {
    const isPinned = counts.has(index) ? counts.get(index) !== 0 : wasPinned.has(index);
    if (!isPinned) removed.push(index);
  }
  return removed;
}
