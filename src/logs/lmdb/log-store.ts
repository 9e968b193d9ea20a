import { randomUUID } from 'node:crypto';

import type { Database, RootDatabase } from 'lmdb';
import invariant from 'tiny-invariant';

import { BrokerError } from '../../model/errors.ts';
import type { LogRecord, LogState, PinnedRecord } from '../../core/log/event-log.ts';
import { SLICE_RECORDS, trimmedGap } from '../record-source.ts';
import type { RetainedRecord } from '../retention.ts';
import { hasDatabase } from './data-file.ts';
import { loadLmdb } from './lmdb-package.ts';
import { PinTables } from './pin-tables.ts';
import type { PinChange } from './pin-tables.ts';
import { decodeIdAge, decodeIdEntry, decodeRecord, encodeIdAge, encodeIdEntry } from './record-format.ts';
import type { IdAge, IdEntry } from './record-format.ts';

/** Without a pin, as versions that know of none write it: these can go on with the folder … */
const FORMAT = 1;
/**
 * … and from the first pin on. Versions without pins would do harm and are refused: they trim what is pinned, and do
 * not move the pins, so that after their newer records were trimmed older ones would come back as the newest of a key.
 */
const FORMAT_WITH_PINS = 2;

/**
 * Where the log stands; kept in a row of its own, so that indexes go on when no record is left to tell the last one.
 */
export interface LogPosition {
  readonly first: number;
  readonly head: number;
  /** Bytes of all values from `first` to `head`. */
  readonly bytes: number;
}

/** What one transaction changes: all of it or nothing. */
export interface LogChange {
  readonly records: readonly { readonly index: number; readonly value: Buffer }[];
  /** Records that go: because they are trimmed and not pinned, or no longer pinned and were trimmed before. */
  readonly removed: readonly number[];
  readonly ids: readonly (IdEntry & IdAge)[];
  readonly expiredIds: readonly { readonly index: number; readonly id: string }[];
  readonly pins: PinChange;
  readonly position: LogPosition;
}

export interface LogStoreOptions {
  readonly path: string;
  readonly readOnly: boolean;
  readonly durability: 'disk' | 'os';
  readonly mapSizeBytes: number | undefined;
}

interface LogIdentity {
  readonly format: number;
  readonly epoch: string;
}

type Meta = LogIdentity | LogPosition | number;

/**
 * The tables of one log in one LMDB environment. Reads are synchronous and short: none is open when a call has
 * returned, so none keeps LMDB from using freed pages again.
 *
 * - `records`: index → kind, time, body; from `first` to `head` all of them, before `first` those that are pinned
 * - `meta`: `log` → format and epoch; `position` → first, head, bytes; `writer` → the fence
 * - `ids`: id → index and time; `idAges`: index → time and id, in the order in which ids expire
 * - `pins` and `pinned`: see {@link PinTables}
 *
 * The fence: whoever opens for writing raises the version of `writer`, and every transaction asks for the version it
 * raised. A writer that was taken over therefore changes nothing any more.
 */
export class LogStore {
  readonly pins: PinTables;
  readonly #root: RootDatabase<Buffer, number>;
  readonly #records: Database<Buffer, number>;
  readonly #meta: Database<Meta, string>;
  readonly #ids: Database<Buffer, Buffer>;
  readonly #idAges: Database<Buffer, number>;
  readonly #epoch: string;
  readonly #fence: number;

  private constructor(root: RootDatabase<Buffer, number>, options: LogStoreOptions) {
    this.#root = root;
    this.#records = root.openDB('records', { encoding: 'binary' });
    this.#meta = root.openDB('meta', { encoding: 'json', useVersions: true });
    this.#ids = root.openDB('ids', { encoding: 'binary', keyEncoding: 'binary' });
    this.#idAges = root.openDB('idAges', { encoding: 'binary' });
    this.pins = new PinTables(root);
    this.#fence = options.readOnly ? 0 : this.#meta.transactionSync(() => this.#takeOver());
    this.#epoch = this.#identity().epoch;
  }

  /**
   * @throws BrokerError `log_unavailable` when the folder holds no log that can be opened, `not_supported` without
   * `lmdb`
   */
  static async open(options: LogStoreOptions): Promise<LogStore> {
    const open = await loadLmdb();
    const { path, readOnly } = options;
    const isThere = await hasDatabase(path);
    if (readOnly && !isThere) throw new BrokerError('log_unavailable', `There is no event log in ${path}.`);
    let root: RootDatabase<Buffer, number> | undefined;
    try {
      root = open(environment(options));
      return new LogStore(root, options);
    } catch (cause) {
      await root?.close();
      if (BrokerError.is(cause)) throw cause;
      throw new BrokerError('log_unavailable', `The event log in ${path} cannot be opened.`, { cause });
    }
  }

  state(): LogState & LogPosition {
    return { epoch: this.#epoch, ...this.#position() };
  }

  /**
   * Sees what other processes have committed since the last call, which a turn of the event loop alone does not ensure.
   */
  refresh(): void {
    this.#root.resetReadTxn();
  }

  /** The records from `from` on. @throws BrokerError `gap` when `from` is no longer there */
  slice(from: number, to: number, maxBytes: number): readonly LogRecord[] {
    const { first } = this.#position();
    // Before `first` there are records with holes between them.
    if (from < first) throw trimmedGap(from, first);
    const slice: LogRecord[] = [];
    let bytes = 0;
    for (const { key, value } of this.#records.getRange({ start: from, end: to + 1, limit: SLICE_RECORDS })) {
      bytes += value.byteLength;
      if (slice.length > 0 && bytes > maxBytes) break;
      slice.push(decodeRecord(key, value));
    }
    if (slice[0]?.index !== from) throw trimmedGap(from, first);
    return slice;
  }

  /** The records that are pinned between `after` and `before`, both exclusive. */
  pinnedSlice(after: number, before: number, maxBytes: number): readonly PinnedRecord[] {
    const slice: PinnedRecord[] = [];
    let bytes = 0;
    for (const { index, keys } of this.pins.pinnedIn(after + 1, before)) {
      const value = this.#records.get(index);
      if (value === undefined) continue;
      bytes += value.byteLength;
      if (slice.length > 0 && bytes > maxBytes) break;
      slice.push({ ...decodeRecord(index, value), pins: keys });
      if (slice.length === SLICE_RECORDS) break;
    }
    return slice;
  }

  /** The oldest records one by one; end the loop early and nothing stays open. */
  *oldest(from: number): Generator<RetainedRecord> {
    for (const { key, value } of this.#records.getRange({ start: from })) {
      yield { time: decodeRecord(key, value).time, bytes: value.byteLength };
    }
  }

  idEntry(id: string): IdEntry | undefined {
    const value = this.#ids.get(Buffer.from(id));
    return value && decodeIdEntry(value);
  }

  /** At most `limit` ids that were given before `time`, oldest first. */
  idsBefore(time: number, limit: number): { readonly index: number; readonly id: string }[] {
    const expired = [];
    for (const { key, value } of this.#idAges.getRange({ limit })) {
      const age = decodeIdAge(value);
      if (age.time >= time) break;
      expired.push({ index: key, id: age.id });
    }
    return expired;
  }

  /**
   * Resolves when the change is as durable as the store was opened to be.
   * @throws BrokerError `log_unavailable`, after which nothing is known of the change unless another writer has taken
   * over
   */
  async commit(change: LogChange): Promise<void> {
    const isKept = await this.#write(change);
    if (isKept) return;
    const message =
      'Another process has taken over the event log; this one may not write to it any more. Nothing was appended.';
    throw new BrokerError('log_unavailable', message);
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  async #write(change: LogChange): Promise<boolean> {
    try {
      return await this.#meta.ifVersion('writer', this.#fence, () => this.#put(change));
    } catch (cause) {
      adoptCommitError(cause);
      throw new BrokerError('log_unavailable', 'The event log could not be written.', { cause });
    }
  }

  /** All of this joins the transaction that {@link #write} opened; its promise speaks for each. */
  #put({ records, removed, ids, expiredIds, pins, position }: LogChange): void {
    for (const index of removed) void this.#records.remove(index);
    for (const expired of expiredIds) this.#removeId(expired);
    for (const { index, value } of records) void this.#records.put(index, value);
    for (const entry of ids) {
      void this.#ids.put(Buffer.from(entry.id), encodeIdEntry(entry));
      void this.#idAges.put(entry.index, encodeIdAge(entry));
    }
    this.#putPins(pins);
    void this.#meta.put('position', position, 1);
  }

  #putPins(change: PinChange): void {
    if (change.moves.length === 0) return;
    const { format, epoch } = this.#identity();
    if (format === FORMAT) void this.#meta.put('log', { format: FORMAT_WITH_PINS, epoch }, 1);
    this.pins.put(change);
  }

  /** An id that was given again after its time belongs to the later record. */
  #removeId({ index, id }: { readonly index: number; readonly id: string }): void {
    void this.#idAges.remove(index);
    // A row that is damaged names no id, and LMDB takes no empty key.
    if (id !== '' && this.idEntry(id)?.index === index) void this.#ids.remove(Buffer.from(id));
  }

  /** @returns the version of the fence from now on */
  #takeOver(): number {
    if (this.#meta.get('log') === undefined) this.#create();
    const version = (this.#meta.getEntry('writer')?.version ?? 0) + 1;
    void this.#meta.put('writer', process.pid, version);
    return version;
  }

  #create(): void {
    void this.#meta.put('log', { format: FORMAT, epoch: randomUUID() }, 1);
    void this.#meta.put('position', { first: 1, head: 0, bytes: 0 }, 1);
  }

  #identity(): LogIdentity {
    const row = this.#meta.get('log');
    if (typeof row !== 'object' || !('format' in row))
      throw new BrokerError('log_unavailable', 'The folder holds no event log.');
    if (row.format === FORMAT || row.format === FORMAT_WITH_PINS) return row;
    throw new BrokerError(
      'log_unavailable',
      `The event log has format ${row.format}; this version reads formats ${FORMAT} and ${FORMAT_WITH_PINS}.`,
    );
  }

  #position(): LogPosition {
    const row = this.#meta.get('position');
    invariant(typeof row === 'object' && 'head' in row, 'a log has a position');
    return row;
  }
}

/**
 * LMDB's error holds a promise that is rejected with what really happened, such as a full disk. It becomes the error's
 * cause; left alone it would end the process.
 */
function adoptCommitError(error: unknown): void {
  if (!(error instanceof Error && 'commitError' in error && error.commitError instanceof Promise)) return;
  error.commitError.catch((cause: unknown) => {
    error.cause = cause;
  });
}

/**
 * `disk`: a commit is told when it is synced. `os`: when it is in the operating system's hands. LMDB's
 * `overlappingSync` would keep the file whole over a power loss, but tells of a commit only after its sync, so that it
 * would buy nothing.
 */
function environment({ path, readOnly, durability, mapSizeBytes }: LogStoreOptions) {
  return {
    path,
    readOnly,
    noSubdir: false,
    maxDbs: 8,
    encoding: 'binary' as const,
    // A change is one explicit batch; LMDB's own batch would leave a promise that nobody can handle when a commit
    // fails.
    eventTurnBatching: false,
    overlappingSync: false,
    noSync: durability === 'os' && !readOnly,
    ...(mapSizeBytes === undefined ? {} : { mapSize: mapSizeBytes }),
  };
}
