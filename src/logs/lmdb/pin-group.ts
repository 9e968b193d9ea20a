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

  changeIn({ pins }: LogStore): PinChange {
    const moves = [...this.#keys].map(([key, to]) => ({ key, from: pins.indexOf(key), to }));
    const leaving = new Map<number, Set<string>>();
    for (const { key, from } of moves)
      if (from !== undefined) leaving.set(from, (leaving.get(from) ?? new Set()).add(key));
    const freed = [...leaving].filter(([index, keys]) => !pins.hasOthers(index, keys)).map(([index]) => index);
    return { moves, freed: new Set(freed) };
  }
}

/**
 * Which records a commit removes: those from `first` to before `nextFirst` that are not pinned, and those before that
 * no key is pinned to any more.
 */
export function removedBy({ freed }: PinChange, { pins }: LogStore, first: number, nextFirst: number): number[] {
  const removed = [...freed].filter((index) => index < first);
  const wasPinned = new Set<number>();
  for (const { index } of pins.pinnedIn(first, nextFirst)) wasPinned.add(index);
  for (let index = first; index < nextFirst; index++)
    if (!wasPinned.has(index) || freed.has(index)) removed.push(index);
  return removed;
}
