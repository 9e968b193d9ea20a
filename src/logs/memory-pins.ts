import type { LogRecord, PinnedRecord } from '../core/log/event-log.ts';
import { lowerBound } from '../model/lower-bound.ts';
import type { AppendRequest } from './append-request.ts';
import { SLICE_RECORDS } from './record-source.ts';

/** Which records of a memory log are pinned, and those among them that retention would have dropped. */
export class MemoryPins {
  readonly #indexes = new Map<string, number>();
  /** The keys that are pinned to the record at an index; no entry for none. */
  readonly #keysAt = new Map<number, Set<string>>();
  readonly #kept = new Map<number, LogRecord>();
  /** The indexes of `#kept` in order, with some that are no longer in it, so that letting go of one costs little. */
  #order: number[] = [];

  /** The record at `index` was appended. */
  add({ pins, unpins }: AppendRequest, index: number): void {
    for (const key of unpins) this.#unpin(key);
    for (const key of pins) {
      this.#unpin(key);
      this.#indexes.set(key, index);
      this.#keysAt.set(index, (this.#keysAt.get(index) ?? new Set()).add(key));
    }
  }

  /** Takes in what retention drops, if it is pinned. Oldest first. */
  keep(record: LogRecord): void {
    if (!this.#keysAt.has(record.index)) return;
    this.#kept.set(record.index, record);
    this.#order.push(record.index);
  }

  slice(after: number, before: number, maxBytes: number): readonly PinnedRecord[] {
    const slice: PinnedRecord[] = [];
    let bytes = 0;
    const order = this.#order;
    const start = lowerBound(0, order.length, (place) => (order[place] as number) <= after);
    for (let i = start; slice.length < SLICE_RECORDS; i++) {
      const index = order[i];
      if (index === undefined || index >= before) break;
      const record = this.#kept.get(index);
      if (record === undefined) continue;
      bytes += record.body.byteLength;
      if (slice.length > 0 && bytes > maxBytes) break;
      slice.push({ ...record, pins: [...(this.#keysAt.get(index) ?? [])] });
    }
    return slice;
  }

  clear(): void {
    this.#indexes.clear();
    this.#keysAt.clear();
    this.#kept.clear();
    this.#order = [];
  }

  #unpin(key: string): void {
    const index = this.#indexes.get(key);
    if (index === undefined) return;
    this.#indexes.delete(key);
    const keys = this.#keysAt.get(index);
    keys?.delete(key);
    if (keys?.size === 0) this.#letGo(index);
  }

  #letGo(index: number): void {
    this.#keysAt.delete(index);
    this.#kept.delete(index);
    // Only when half of it is gone, so that each costs a constant.
    if (this.#order.length > 2 * this.#kept.size) this.#order = [...this.#kept.keys()];
  }
}
