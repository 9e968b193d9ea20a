import type { Clock } from '../../model/clock.ts';
import type { PendingAppend } from '../append-queue.ts';
import { indexConflict } from '../append-request.ts';
import type { AppendRequest } from '../append-request.ts';
import type { LogStore } from './log-store.ts';
import { PinGroup } from './pin-group.ts';
import { encodeRecord } from './record-format.ts';
import type { IdAge, IdEntry } from './record-format.ts';

/** One commit appends at most so many records … */
const GROUP_RECORDS = 512;
/** … and about so many bytes, so that putting them together does not hold the event loop. */
const GROUP_BYTES = 4 * 1024 * 1024;
/** … and changes about so many pins, each of which is looked up. */
const GROUP_PINS = 4096;
/** Twice as many ids as a group can add, so that the table does not grow while appends go on. */
const EXPIRED_IDS = 2 * GROUP_RECORDS;

interface AppendGroupOptions {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly dedupeWindowMs: number;
}

/**
 * The appends of one commit, each decided after those before it: which index it gets, whether its id is known, whether
 * the head is the expected one. Nobody learns of it before the commit, since each answer holds only if the commit does.
 */
export class AppendGroup {
  readonly records: { readonly index: number; readonly value: Buffer }[] = [];
  readonly ids: (IdEntry & IdAge)[] = [];
  readonly pins = new PinGroup();
  readonly #options: AppendGroupOptions;
  readonly #newIds = new Map<string, number>();
  readonly #members: { readonly append: PendingAppend; readonly settle: () => void }[] = [];
  readonly #time: number;
  #start = 0;
  #bytes = 0;

  constructor(options: AppendGroupOptions) {
    this.#options = options;
    this.#time = options.clock.now();
  }

  /** @param head of the store: the first append gets the next index */
  begin(head: number): void {
    this.#start = head;
  }

  get head(): number {
    return this.#start + this.records.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    const { records, pins } = this;
    return records.length >= GROUP_RECORDS || this.#bytes >= GROUP_BYTES || pins.size >= GROUP_PINS;
  }

  add(append: PendingAppend): void {
    if (append.request.signal?.aborted) append.reject(append.request.signal.reason);
    else this.#members.push({ append, settle: this.#decide(append) });
  }

  /** Ids whose window has passed. Bounded; what is left over goes with the next commits. */
  expiredIds(): readonly { readonly index: number; readonly id: string }[] {
    const { store, dedupeWindowMs } = this.#options;
    return store.idsBefore(this.#time - dedupeWindowMs, EXPIRED_IDS);
  }

  /** The commit was made. */
  settle(): void {
    for (const { settle } of this.#members) settle();
  }

  /** The commit was not made. */
  fail(error: unknown): void {
    for (const { append } of this.#members) append.reject(error);
  }

  #decide({ request, resolve, reject }: PendingAppend): () => void {
    const known = request.id === undefined ? undefined : this.#knownIndex(request.id);
    if (known !== undefined) return () => resolve({ index: known, duplicate: true });
    const { head } = this;
    const { expectedHead = head } = request;
    if (expectedHead !== head) return () => reject(indexConflict(expectedHead, head));
    this.#allocate(request);
    return () => resolve({ index: head + 1, duplicate: false });
  }

  #knownIndex(id: string): number | undefined {
    const { store, dedupeWindowMs } = this.#options;
    const entry = store.idEntry(id);
    const isWithinWindow = entry !== undefined && entry.time >= this.#time - dedupeWindowMs;
    return this.#newIds.get(id) ?? (isWithinWindow ? entry.index : undefined);
  }

  #allocate(request: AppendRequest): void {
    const { kind, body, id } = request;
    const time = this.#time;
    const index = this.head + 1;
    const value = encodeRecord(kind, time, body);
    this.records.push({ index, value });
    this.#bytes += value.byteLength;
    this.pins.add(request, index);
    if (id === undefined) return;
    this.ids.push({ id, index, time });
    this.#newIds.set(id, index);
  }
}
