import { createHash } from 'node:crypto';

import type { Database, RootDatabase } from 'lmdb';

/** What one commit changes of the pins. */
export interface PinChange {
  /** The record that each of these keys is pinned to from now on; undefined: none. */
  readonly keys: ReadonlyMap<string, number | undefined>;
  /** How many keys are pinned to each of these records from now on. */
  readonly counts: ReadonlyMap<number, number>;
}

/**
 * Which records are pinned.
 *
 * - `pins`: key → index of the record
 * - `pinCounts`: index → how many keys are pinned to the record; no row for none
 *
 * A folder that was only ever written by a version without pins has neither table. They are made when it is opened for
 * writing.
 */
export class PinTables {
  readonly #root: RootDatabase<Buffer, number>;
  readonly #pins: Database<number, Buffer> | undefined;
  #counts: Database<number, number> | undefined;

  constructor(root: RootDatabase<Buffer, number>) {
    this.#root = root;
    this.#pins = root.openDB<number, Buffer>('pins', { encoding: 'json', keyEncoding: 'binary' });
    this.#counts = this.#openCounts();
  }

  /** The record that the key is pinned to. */
  indexOf(key: string): number | undefined {
    return this.#pins?.get(rowOf(key));
  }

  countOf(index: number): number {
    return this.#counts?.get(index) ?? 0;
  }

  /**
   * The records from `from` to before `before` that are pinned, in order; end the loop early and nothing stays open.
   */
  *indexesIn(from: number, before: number): Generator<number> {
    // A reader looks again: a writer may have made the table since.
    this.#counts ??= this.#openCounts();
    if (this.#counts === undefined) return;
    for (const { key } of this.#counts.getRange({ start: from, end: before })) yield key;
  }

  /** Joins the transaction that is open. */
  put({ keys, counts }: PinChange): void {
    for (const [key, index] of keys) {
      if (index === undefined) void this.#pins?.remove(rowOf(key));
      else void this.#pins?.put(rowOf(key), index);
    }
    for (const [index, count] of counts) {
      if (count === 0) void this.#counts?.remove(index);
      else void this.#counts?.put(index, count);
    }
  }

  /** Undefined where the table is missing and may not be made. */
  #openCounts(): Database<number, number> | undefined {
    return this.#root.openDB<number, number>('pinCounts', { encoding: 'json' });
  }
}

/**
 * A key as LMDB takes it: never empty, and another one for each key. A string with half of a surrogate pair has no
 * UTF-8 of its own, so its hash stands for it.
 */
function rowOf(key: string): Buffer {
  const text = Buffer.from(`=${key}`);
  if (text.toString() === `=${key}`) return text;
  return Buffer.concat([Buffer.from('#'), createHash('sha256').update(Buffer.from(key, 'utf16le')).digest()]);
}
