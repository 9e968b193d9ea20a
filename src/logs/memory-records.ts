import { randomUUID } from 'node:crypto';

import invariant from 'tiny-invariant';

import type { Clock } from '../model/clock.ts';
import type { AppendResult, LogRecord, LogState, PinnedRecord, Retention } from '../core/log/event-log.ts';
import { indexConflict } from './append-request.ts';
import type { AppendRequest } from './append-request.ts';
import { MemoryPins } from './memory-pins.ts';
import { RecentIds } from './recent-ids.ts';
import { SLICE_RECORDS } from './record-source.ts';
import { isOldestDue } from './retention.ts';

/** The records that the handles of one memory log share, and who wants to know of new ones. */
export class MemoryRecords {
  readonly #clock: Clock;
  readonly #retention: Retention;
  readonly #ids: RecentIds;
  readonly #pins = new MemoryPins();
  readonly #watchers = new Set<() => void>();
  #epoch = randomUUID();
  /** Record i of the array has the index `#base + i`; those before `#first` are gone and only wait to be cut off. */
  #records: (LogRecord | undefined)[] = [];
  #base = 1;
  #first = 1;
  #bytes = 0;

  constructor(clock: Clock, retention: Retention, dedupeWindowMs: number) {
    this.#clock = clock;
    this.#retention = retention;
    this.#ids = new RecentIds(dedupeWindowMs);
  }

  get #head(): number {
    return this.#base + this.#records.length - 1;
  }

  state(): LogState {
    return { epoch: this.#epoch, first: this.#first, head: this.#head };
  }

  append(request: AppendRequest): AppendResult {
    const { kind, body, id, expectedHead } = request;
    const time = this.#clock.now();
    const known = id === undefined ? undefined : this.#ids.indexOf(id, time);
    if (known !== undefined) return { index: known, duplicate: true };
    if (expectedHead !== undefined && expectedHead !== this.#head) throw indexConflict(expectedHead, this.#head);
    const index = this.#head + 1;
    this.#records.push(Object.freeze({ index, kind, time, body }));
    this.#bytes += body.byteLength;
    if (id !== undefined) this.#ids.add(id, index, time);
    this.#pins.add(request, index);
    this.trim(this.#retention);
    return { index, duplicate: false };
  }

  slice(from: number, to: number, maxBytes: number): readonly LogRecord[] {
    const slice: LogRecord[] = [];
    for (let bytes = 0, index = from; index <= to && slice.length < SLICE_RECORDS; index++) {
      const record = this.#at(index);
      bytes += record.body.byteLength;
      if (slice.length > 0 && bytes > maxBytes) break;
      slice.push(record);
    }
    return slice;
  }

  pinnedSlice(after: number, before: number, maxBytes: number): readonly PinnedRecord[] {
    return this.#pins.slice(after, before, maxBytes);
  }

  /** Drops what is due and tells the watchers. */
  trim(retention: Retention): void {
    const now = this.#clock.now();
    while (this.#first <= this.#head && this.#isDue(retention, now)) this.#dropOldest();
    this.#cutOff();
    this.#changed();
  }

  /** As if another log stood in the place of this one: nothing is in it, its epoch is another. */
  recreate(): void {
    this.#epoch = randomUUID();
    this.#records = [];
    this.#base = this.#first = 1;
    this.#bytes = 0;
    this.#ids.clear();
    this.#pins.clear();
    this.#changed();
  }

  /** @returns how to end it */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => void this.#watchers.delete(onChange);
  }

  #at(index: number): LogRecord {
    const record = this.#records[index - this.#base];
    invariant(record !== undefined, 'a record between first and head is there');
    return record;
  }

  #isDue(retention: Retention, now: number): boolean {
    const { time, body } = this.#at(this.#first);
    const held = { records: this.#head - this.#first + 1, bytes: this.#bytes };
    return isOldestDue({ time, bytes: body.byteLength }, held, retention, now);
  }

  #dropOldest(): void {
    const oldest = this.#at(this.#first);
    this.#bytes -= oldest.body.byteLength;
    this.#pins.keep(oldest);
    this.#records[this.#first - this.#base] = undefined;
    this.#first += 1;
  }

  /** Cuts the array only when half of it is gone, so that a trimmed record costs a constant. */
  #cutOff(): void {
    const gone = this.#first - this.#base;
    if (gone * 2 <= this.#records.length) return;
    this.#records = this.#records.slice(gone);
    this.#base = this.#first;
  }

  #changed(): void {
    for (const onChange of this.#watchers) onChange();
  }
}
