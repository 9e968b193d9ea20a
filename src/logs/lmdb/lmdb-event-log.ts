/// <reference lib="esnext.disposable" preserve="true" />
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { systemClock } from '../../model/clock.ts';
import type { Clock, ClockTimer } from '../../model/clock.ts';
import { BrokerError } from '../../model/errors.ts';
import type {
  AppendOptions,
  AppendResult,
  EventLog,
  LogCapabilities,
  LogRecord,
  LogState,
  LogTail,
  PinnedRecord,
  ReadOptions,
  Retention,
  TailHandler,
} from '../../core/log/event-log.ts';
import { checkAppend } from '../append-request.ts';
import { LocalTail } from '../local-tail.ts';
import { readPinned, readRecords } from '../record-source.ts';
import type { RecordSource } from '../record-source.ts';
import { checkRetention } from '../retention.ts';
import { FollowedStore } from './followed-store.ts';
import { loadLmdb } from './lmdb-package.ts';
import { LogStore } from './log-store.ts';
import { LogWriter } from './log-writer.ts';
import { capabilitiesOf, checkLmdbOptions, storeOptions } from './options.ts';
import type { LmdbEventLogOptions } from './options.ts';
import { WriterLock } from './writer-lock.ts';

/** What a log is kept in: its own store, locked, or one that another process writes. */
interface Opened {
  readonly store: LogStore | FollowedStore;
  readonly lock?: WriterLock;
}

/**
 * A durable event log in a folder, on LMDB; needs the package `lmdb`.
 *
 * One process writes at a time: a second one is refused with `log_unavailable`, and should it go unnoticed (another
 * container on the same volume), the first one's appends fail from then on. Other processes may read with `readOnly`.
 * Appends that are in flight together share one commit, off the main thread; an index is allocated in that commit.
 * Indexes are dense and never restart while the folder exists; a folder that was deleted begins another epoch.
 * From the first pin on, a folder cannot be opened any more by versions that know of no pins.
 */
export class LmdbEventLog implements EventLog {
  readonly capabilities: LogCapabilities;
  readonly #store: LogStore | FollowedStore;
  readonly #lock: WriterLock | undefined;
  readonly #writer: LogWriter | undefined;
  readonly #followed: FollowedStore | undefined;
  /** What was last told. */
  #epoch: string;
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #tails = new Set<LocalTail>();
  #poll: ClockTimer | undefined;
  #closing: Promise<void> | undefined;
  readonly #source: RecordSource = {
    state: () => this.#currentState(),
    slice: (from, to, maxBytes) => this.#store.slice(from, to, maxBytes),
    pinnedSlice: (after, before, maxBytes) => this.#store.pinnedSlice(after, before, maxBytes),
  };

  private constructor({ store, lock }: Opened, options: LmdbEventLogOptions) {
    const { retention = {}, clock = systemClock, pollMs = 50 } = options;
    this.capabilities = capabilitiesOf(options);
    this.#store = store;
    this.#lock = lock;
    this.#clock = clock;
    this.#pollMs = pollMs;
    const { dedupeWindowMs } = this.capabilities;
    const onCommit = () => this.#wakeTails();
    if (store instanceof FollowedStore) this.#followed = store;
    else this.#writer = new LogWriter({ store, clock, retention, dedupeWindowMs, onCommit });
    this.#epoch = store.state().epoch;
  }

  /**
   * @throws TypeError for options that make no sense
   * @throws BrokerError `log_unavailable` when the folder cannot be used or another process writes to it,
   * `not_supported` when
   *   `lmdb` is not installed
   */
  static async open(options: LmdbEventLogOptions): Promise<LmdbEventLog> {
    checkLmdbOptions(options);
    return new LmdbEventLog(options.readOnly ? await openForReading(options) : await openForWriting(options), options);
  }

  async state(): Promise<LogState> {
    this.#requireOpen();
    await this.#followed?.look();
    const state = this.#currentState();
    this.#epoch = state.epoch;
    return state;
  }

  async append(body: Uint8Array, options: AppendOptions = {}): Promise<AppendResult> {
    this.#requireOpen();
    const request = checkAppend(body, options, this.capabilities);
    request.signal?.throwIfAborted();
    return this.#requireWriter().append(request);
  }

  read(from: number, to: number, options?: ReadOptions): AsyncIterable<readonly LogRecord[]> {
    return readRecords(this.#source, from, to, options);
  }

  pinned(options?: ReadOptions): AsyncIterable<readonly PinnedRecord[]> {
    return readPinned(this.#source, options);
  }

  async tail(after: number, handler: TailHandler): Promise<LogTail> {
    const tail = new LocalTail(this.#source, after, this.#epoch, handler, (ended) => this.#tailEnded(ended));
    this.#tails.add(tail);
    if (this.#followed) this.#schedulePoll(this.#followed);
    return tail;
  }

  async trim(retention: Retention): Promise<LogState> {
    this.#requireOpen();
    await this.#requireWriter().trim(checkRetention(retention));
    return this.state();
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the tails, writes what was appended before, and frees the folder for the next writer. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#tails].map((tail) => tail.stop()));
    try {
      await this.#writer?.close();
    } finally {
      await this.#store.close();
      await this.#lock?.release();
    }
  }

  #currentState(): LogState {
    this.#requireOpen();
    return (this.#writer ?? this.#store).state();
  }

  #requireOpen(): void {
    if (this.#closing) throw new BrokerError('closed', 'The log is closed.');
  }

  #requireWriter(): LogWriter {
    if (this.#writer) return this.#writer;
    throw new BrokerError('not_supported', 'The log was opened for reading only.');
  }

  #wakeTails(): void {
    for (const tail of this.#tails) tail.wake();
  }

  #schedulePoll(followed: FollowedStore): void {
    this.#poll ??= this.#clock.after(this.#pollMs, () => {
      this.#poll = undefined;
      void followed.look().then(() => this.#polled(followed));
    });
  }

  #polled(followed: FollowedStore): void {
    this.#wakeTails();
    if (this.#tails.size > 0) this.#schedulePoll(followed);
  }

  #tailEnded(tail: LocalTail): void {
    this.#tails.delete(tail);
    if (this.#tails.size > 0) return;
    this.#poll?.cancel();
    this.#poll = undefined;
  }
}

async function openForReading(options: LmdbEventLogOptions): Promise<Opened> {
  return { store: await FollowedStore.open(storeOptions(options)) };
}

async function openForWriting(options: LmdbEventLogOptions): Promise<Opened> {
  // Before anything else: where the package is missing, it is named, and no folder is left behind.
  await loadLmdb();
  await mkdir(options.path, { recursive: true }).catch((cause: unknown) => {
    throw new BrokerError('log_unavailable', `The folder ${options.path} cannot be made.`, { cause });
  });
  const lock = await WriterLock.take(join(options.path, 'writer.lock'));
  try {
    return { store: await LogStore.open(storeOptions(options)), lock };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
