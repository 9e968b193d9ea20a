/// <reference lib="esnext.disposable" preserve="true" />
import { checkNumber, indexOrNone } from '../../model/numbers.ts';
import { systemClock } from '../../model/clock.ts';
import type { ClockTimer } from '../../model/clock.ts';
import { BrokerError } from '../../model/errors.ts';
import type {
  AppendOptions,
  AppendResult,
  EventLog,
  LogCapabilities,
  LogRecord,
  LogState,
  LogTail,
  ReadOptions,
  Retention,
  TailHandler,
} from '../../core/log/event-log.ts';
import { checkAppend } from '../append-request.ts';
import { checkRetention } from '../retention.ts';
import { LiveConnection } from './live-connection.ts';
import { LogStore } from './log-store.ts';
import type { StoredState } from './log-store.ts';
import { settingsOf } from './options.ts';
import type { RedisEventLogOptions } from './options.ts';
import { RecordAppender } from './record-appender.ts';
import { RedisTail } from './redis-tail.ts';
import type { TailStart } from './redis-tail.ts';
import { capabilitiesOf, checkServer } from './server-facts.ts';
import type { RedisServerFacts, ServerRun } from './server-facts.ts';
import { readStore } from './store-read.ts';
import { StreamFollower } from './stream-follower.ts';

/** Age is looked at this often at most, and this seldom at least. */
const SHORTEST_AGE_CHECK_MS = 1_000;
const LONGEST_AGE_CHECK_MS = 60_000;

/**
 * An event log that many processes share, on a stream of Redis 6.2 or newer; over the host's own client of the package
 * `redis` or `ioredis`.
 *
 * ```ts
 * const client = await createClient({ url }).on('error', report).connect();
 * const log = await RedisEventLog.open({ client, stream: 'events' });
 * ```
 *
 * What an acknowledged append outlives is what `appendfsync` makes of it: with `always` a power loss (`'disk'`), else
 * the server's process (`'os'`; with `everysec` but for what it had not written while its disk was slow), without
 * `appendonly` nothing (`'none'`). Replicas add nothing to that: the server acknowledges before they have it.
 *
 * What a failover, a flush or a restored dump took away is told: the log gets another epoch. So it does whenever the
 * server may lack its end, which is each restart without `appendfsync always`, and each promotion of a replica.
 */
export class RedisEventLog implements EventLog {
  readonly capabilities: LogCapabilities;
  /** What the server said of itself when the log was opened. */
  readonly server: RedisServerFacts;
  readonly #store: LogStore;
  readonly #appender: RecordAppender;
  readonly #follower: StreamFollower;
  readonly #tails = new Set<RedisTail>();
  readonly #closed = new AbortController();
  #known: StoredState;
  #ageCheck: ClockTimer | undefined;

  private constructor(store: LogStore, server: ServerRun, state: StoredState) {
    const { version, role, appendOnly, appendFsync, maxmemoryPolicy } = server;
    this.capabilities = capabilitiesOf(server, store.settings);
    this.server = Object.freeze({ version, role, appendOnly, appendFsync, maxmemoryPolicy });
    this.#store = store;
    this.#appender = new RecordAppender(store, this.#closed.signal);
    this.#follower = new StreamFollower(store.connection, store.settings.stream);
    this.#known = state;
    this.#scheduleAgeCheck();
  }

  /**
   * Opens the log; makes it when there is none.
   * @throws TypeError for options that cannot be right
   * @throws BrokerError `bad_request` for keys that hold something else or a newer layout, a server that evicts, and a
   * user without rights; `not_supported` for a server that is too old; `log_unavailable`, also for a read-only replica
   */
  static async open(options: RedisEventLogOptions): Promise<RedisEventLog> {
    const settings = settingsOf(options);
    const connection = new LiveConnection(settings.client);
    try {
      const store = new LogStore(settings, connection);
      const server = await store.askServer();
      checkServer(server, settings);
      return new RedisEventLog(store, server, await store.meet(server));
    } catch (error) {
      connection.release();
      throw error;
    }
  }

  async state(): Promise<LogState> {
    const { epoch, first, head } = await this.#look();
    return { epoch, first, head };
  }

  /**
   * Waits for the connection, `appendTimeoutMs` at most; what is under way when it breaks fails with `log_unavailable`,
   * and is stored once or not at all, also when the client sends it again. With an `id` the append can be repeated.
   *
   * At most 4,096 appends, with 64 MiB of bodies, wait for the server; one more is refused with `at_capacity`, and
   * nothing is stored.
   */
  async append(body: Uint8Array, options: AppendOptions = {}): Promise<AppendResult> {
    this.#requireOpen();
    const request = checkAppend(body, options, this.capabilities, copyOf);
    request.signal?.throwIfAborted();
    return this.#appender.append(request);
  }

  read(from: number, to: number, options: ReadOptions = {}): AsyncIterable<readonly LogRecord[]> {
    return readStore(this.#store, from, to, options, this.#closed.signal);
  }

  /** Starts also while the server does not answer, with what was last known of the log. */
  async tail(after: number, handler: TailHandler): Promise<LogTail> {
    checkNumber('after', after, indexOrNone);
    const start = await this.#startAfter(after);
    const tail = new RedisTail(this.#store, this.#follower, start, handler, (ended) => this.#tails.delete(ended));
    this.#tails.add(tail);
    return tail;
  }

  async trim(retention: Retention): Promise<LogState> {
    this.#requireOpen();
    await this.#store.trim(checkRetention(retention));
    return this.state();
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Ends the tails and what is being read; the host's client stays open. Appends that were sent end with their answer,
   * others with `closed`.
   */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(closedError());
    this.#ageCheck?.cancel();
    this.#follower.close();
    await Promise.all([...this.#tails].map((tail) => tail.stop()));
    this.#store.connection.release();
  }

  async #look(): Promise<StoredState> {
    this.#requireOpen();
    const state = await this.#store.state();
    this.#requireOpen();
    return (this.#known = state);
  }

  /** The head that was told counts, although the log may have lost its end since: then the tail tells it. */
  async #startAfter(after: number): Promise<TailStart> {
    const { epoch, head, check } = this.#known;
    const { head: headNow } = await this.#look().catch((error: unknown) => {
      if (this.#closed.signal.aborted) throw error;
      return this.#known;
    });
    const position = Math.min(after, Math.max(head, headNow));
    return { position, epoch, seen: position === head ? check : undefined };
  }

  #scheduleAgeCheck(): void {
    const { maxAgeMs = Infinity } = this.#store.settings.retention;
    if (maxAgeMs === Infinity || this.#closed.signal.aborted) return;
    const delayMs = Math.min(Math.max(maxAgeMs / 10, SHORTEST_AGE_CHECK_MS), LONGEST_AGE_CHECK_MS);
    this.#ageCheck = systemClock.after(delayMs, () => {
      // What could not be trimmed now is trimmed with the next append, or the next time.
      const trimmed = this.#store.trim({ maxAgeMs }).catch(() => undefined);
      void trimmed.then(() => this.#scheduleAgeCheck());
    });
  }

  #requireOpen(): void {
    if (this.#closed.signal.aborted) throw closedError();
  }
}

/** Out of the pool of buffers: a body is held until it was sent, and memory of its own takes five times as long. */
const copyOf = (body: Uint8Array): Uint8Array => Buffer.from(body);

const closedError = (): BrokerError => new BrokerError('closed', 'The log is closed.');
