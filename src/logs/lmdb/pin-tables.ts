import { createHash } from 'node:crypto';

import type { Database, RootDatabase } from 'lmdb';

/** What one commit changes of the pins. */
export interface PinChange {
  /** Which record each key was pinned to before, and is from now on; undefined: none. */
  readonly moves: readonly {
    readonly key: string;
    readonly from: number | undefined;
    readonly to: number | undefined;
  }[];
  /** Records to which no key is pinned any more. */
  readonly freed: ReadonlySet<number>;
}

/**
 * Which records are pinned.
 *
 * - `pins`: key → index of the record
 * - `pinned`: index and key → the key, where it does not stand in the row itself
 *
 * A folder that was only ever written by a version without pins has neither table. They are made when it is opened for
 * writing.
 */
export class PinTables {
  readonly #root: RootDatabase<Buffer, number>;
  readonly #pins: Database<number, Buffer> | undefined;
  #pinned: Database<Buffer, Buffer> | undefined;

  /** @internal Its types are of an optional package. */
  constructor(root: RootDatabase<Buffer, number>) {
    this.#root = root;
    this.#pins = root.openDB<number, Buffer>('pins', { encoding: 'json', keyEncoding: 'binary' });
    this.#pinned = this.#openPinned();
  }

  /** The record that the key is pinned to. */
  indexOf(key: string): number | undefined {
    return this.#pins?.get(rowOf(key));
  }

  /** Whether other keys than these are pinned to the record. */
  hasOthers(index: number, keys: ReadonlySet<string>): boolean {
    for (const pinned of this.#rowsIn(index, index + 1)) if (!keys.has(pinned.key)) return true;
    return false;
  }

  /**
   * The records from `from` to before `before` that are pinned, in order, with their keys; end the loop early and
   * nothing stays open.
   */
  *pinnedIn(from: number, before: number): Generator<{ readonly index: number; readonly keys: readonly string[] }> {
    let keys: string[] = [];
    let index = 0;
    for (const pinned of this.#rowsIn(from, before)) {
      if (pinned.index !== index && keys.length > 0) {
        yield { index, keys };
        keys = [];
      }
      index = pinned.index;
      keys.push(pinned.key);
    }
    if (keys.length > 0) yield { index, keys };
  }

  /** Joins the transaction that is open. */
  put({ moves }: PinChange): void {
    for (const { key, from, to } of moves) {
      const row = rowOf(key);
      if (from !== undefined) void this.#pinned?.remove(placeOf(from, row));
      if (to === undefined) void this.#pins?.remove(row);
      else {
        void this.#pins?.put(row, to);
        void this.#pinned?.put(placeOf(to, row), isHash(row) ? Buffer.from(JSON.stringify(key)) : noValue);
      }
    }
  }

  *#rowsIn(from: number, before: number): Generator<{ readonly index: number; readonly key: string }> {
    // A reader looks again: a writer may have made the table since.
    this.#pinned ??= this.#openPinned();
    if (this.#pinned === undefined || from >= before) return;
    const range = { start: placeOf(from, noValue), end: placeOf(before, noValue) };
    for (const { key: place, value } of this.#pinned.getRange(range)) {
      const row = place.subarray(INDEX_BYTES);
      const key = isHash(row) ? (JSON.parse(value.toString()) as string) : row.toString('utf8', 1);
      yield { index: place.readDoubleBE(0), key };
    }
  }

  /** Undefined where the table is missing and may not be made. */
  #openPinned(): Database<Buffer, Buffer> | undefined {
    return this.#root.openDB<Buffer, Buffer>('pinned', { encoding: 'binary', keyEncoding: 'binary' });
  }
}

const INDEX_BYTES = 8;
const TEXT = 0x3d;
const noValue = Buffer.alloc(0);

/** Doubles that are not negative stand in the order of their bytes. */
function placeOf(index: number, row: Buffer): Buffer {
  const place = Buffer.allocUnsafe(INDEX_BYTES + row.byteLength);
  place.writeDoubleBE(index, 0);
  place.set(row, INDEX_BYTES);
  return place;
}

const isHash = (row: Buffer): boolean => row[0] !== TEXT;

/**
 * A key as LMDB takes it: never empty, and another one for each key. A string with half of a surrogate pair has no
 * UTF-8 of its own, so its hash stands for it.
 */
function rowOf(key: string): Buffer {
  const text = Buffer.from(`=${key}`);
  if (text.toString() === `=${key}`) return text;
  return Buffer.concat([Buffer.from('#'), createHash('sha256').update(Buffer.from(key, 'utf16le')).digest()]);
}
