/// <reference lib="esnext.disposable" preserve="true" />
import { randomUUID } from 'node:crypto';

import { BrokerError } from '../../model/errors.ts';
import type {
  AppendOptions,
  AppendResult,
  EventLog,
  LogCapabilities,
  LogRecord,
  LogState,
  LogTail,
  LogTransaction,
  PinnedRecord,
  ReadOptions,
  Retention,
  TailHandler,
} from '../../core/log/event-log.ts';
import { checkAppend } from '../append-request.ts';
import type { AppendRequest } from '../append-request.ts';
import { LocalTail } from '../local-tail.ts';
import { checkRetention } from '../retention.ts';
import { AppendStatement, resultOf } from './append-statement.ts';
import type { AppendOutcome } from './append-statement.ts';
import { Follower } from './follower.ts';
import { GroupWriter } from './group-writer.ts';
import type { GroupWriterOptions } from './group-writer.ts';
import { History } from './history.ts';
import { Janitor } from './janitor.ts';
import { channelOf } from './layout.ts';
import { LogReading } from './log-reading.ts';
import type { LogLook } from './log-reading.ts';
import { Notifier } from './notifier.ts';
import { prepared } from './opening.ts';
import { poolSize, settingsOf } from './options.ts';
import type { LogSettings, PostgresEventLogOptions } from './options.ts';
import { OwnConnection } from './own-connection.ts';
import { PoolAccess, unavailable } from './pool-access.ts';
import { refusePool } from './postgres-client.ts';

/** Largest body: what one record may take of a statement's memory, far below PostgreSQL's own limit. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** What was opened before there is a log. */
interface Opened {
  readonly settings: LogSettings;
  readonly pool: PoolAccess;
  readonly durability: LogCapabilities['durability'];
}

/**
 * An event log that many processes share, in tables of a PostgreSQL database (13 or newer), on the host's own pool of
 * `pg` 8.
 *
 * ```ts
 * const log = await PostgresEventLog.open({ pool: new pg.Pool({ max: 10 }), name: 'events' });
 * await broker.publish(event, { transaction: client }); // there when the client's transaction commits
 * ```
 *
 * Each append locks the row of the head until its transaction ends, so indexes are dense and in the order of commits. A
 * transaction of the host's that has published holds up every other writer from there to its end: publish last. While
 * it is open, a publish to the same log on another connection that it waits for waits for it: until `appendTimeoutMs`.
 *
 * What an acknowledged append outlives is what the server's `synchronous_commit` says for the pool's connections, read
 * when the log is opened: `on` a power loss (`'disk'`), with synchronous standbys the loss of a machine (`'quorum'`);
 * `off`, or a server without `fsync`, less.
 */
export class PostgresEventLog implements EventLog {
  readonly capabilities: LogCapabilities;
  readonly #settings: LogSettings;
  readonly #pool: PoolAccess;
  readonly #connection: OwnConnection;
  readonly #statement: AppendStatement;
  readonly #writer: GroupWriter;
  readonly #history: History;
  readonly #janitor: Janitor;
  readonly #notifier: Notifier;
  readonly #reading: LogReading;
  readonly #tails = new Set<LocalTail>();
  readonly #channel: string;
  /** Tells its own notices from those of others. */
  readonly #self = randomUUID();
  #follower: Follower | undefined;
  /** What was last told. */
  #epoch = '';
  #closing: Promise<void> | undefined;

  private constructor({ settings, pool, durability }: Opened) {
    const { dedupeWindowMs, appendTimeoutMs } = settings;
    this.#settings = settings;
    this.#pool = pool;
    this.capabilities = Object.freeze({
      shared: true,
      durability,
      dedupeWindowMs,
      compareAndAppend: true,
      maxRecordBytes: MAX_RECORD_BYTES,
      dense: true,
      pins: true,
      transactional: true,
    });
    this.#channel = channelOf(settings);
    this.#connection = this.#makeConnection();
    this.#reading = new LogReading(settings);
    this.#statement = new AppendStatement(settings);
    const onCommit: GroupWriterOptions['onCommit'] = (outcomes, requests) => this.#wrote(outcomes, requests);
    this.#writer = new GroupWriter({ pool, statement: this.#statement, dedupeWindowMs, appendTimeoutMs, onCommit });
    this.#history = this.#makeHistory();
    this.#janitor = this.#makeJanitor();
    this.#notifier = new Notifier(() => {
      const news = [this.#self, ...this.#followed().news()].join(' ');
      return this.#connection.query('SELECT pg_notify($1, $2)', [this.#channel, news]);
    });
  }

  /**
   * Opens the log; makes its tables when there are none.
   * @throws TypeError for options that cannot be right, a pool of one connection among them
   * @throws BrokerError each with what to do: `bad_request` (other tables of that name, another layout, missing
   * rights), `not_supported` (a server that is too old or read-only), `log_unavailable`
   */
  static async open(options: PostgresEventLogOptions): Promise<PostgresEventLog> {
    const settings = settingsOf(options);
    const pool = new PoolAccess(settings.pool);
    try {
      const durability = await prepared(pool, settings);
      const log = new PostgresEventLog({ settings, pool, durability });
      await log.#start();
      return log;
    } catch (error) {
      pool.close();
      throw error;
    }
  }

  async state(): Promise<LogState> {
    this.#requireOpen();
    const state = await this.#followed().look();
    this.#requireOpen();
    this.#epoch = state.epoch;
    return state;
  }

  /**
   * Appends that are in flight together share one commit. With `transaction` it is written by that alone, and resolves
   * before the transaction ends; what the host's client throws is the cause of a `log_unavailable`. Otherwise a failure
   * says whether the record may have been stored; with an `id` the append can be repeated then.
   *
   * At most 65,536 appends, with 64 MiB of bodies and keys, wait; one more is refused with `at_capacity`.
   */
  async append(body: Uint8Array, options: AppendOptions = {}): Promise<AppendResult> {
    this.#requireOpen();
    const request = checkAppend(body, options, this.capabilities);
    request.signal?.throwIfAborted();
    const { transaction } = request;
    return transaction === undefined ? this.#writer.append(request) : this.#appendIn(transaction, request);
  }

  read(from: number, to: number, options?: ReadOptions): AsyncIterable<readonly LogRecord[]> {
    return this.#history.read(from, to, options);
  }

  pinned(options?: ReadOptions): AsyncIterable<readonly PinnedRecord[]> {
    return this.#history.pinned(options);
  }

  async tail(after: number, handler: TailHandler): Promise<LogTail> {
    this.#requireOpen();
    const follower = this.#followed();
    await follower.look();
    const tail = new LocalTail(follower, after, this.#epoch, handler, (ended) => this.#tails.delete(ended));
    this.#tails.add(tail);
    return tail;
  }

  async trim(retention: Retention): Promise<LogState> {
    this.#requireOpen();
    await this.#janitor.trim(checkRetention(retention)).catch((failure: unknown) => {
      throw unavailable('The log could not be trimmed.', failure);
    });
    return this.state();
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the tails, writes what was appended before, and ends the log's own connection; the pool stays open. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#tails].map((tail) => tail.stop()));
    await this.#writer.close();
    this.#follower?.close();
    this.#notifier.close();
    await this.#janitor.close();
    this.#connection.close();
    this.#pool.close();
  }

  /** The own connection is made, and the log looked at, before anybody has it. */
  async #start(): Promise<void> {
    const { pollMs } = this.#settings;
    let look: LogLook;
    try {
      await this.#connection.connected();
      look = await this.#reading.look((text, values) => this.#connection.query(text, values), 0);
    } catch (error) {
      this.#connection.close();
      throw error;
    }
    const onLook = () => this.#tails.forEach((tail) => tail.wake());
    const onCommitted = () => this.#notifier.signal();
    const parts = { connection: this.#connection, reading: this.#reading, pollMs, onLook, onCommitted };
    this.#follower = new Follower(parts, look);
    this.#epoch = look.state.epoch;
    this.#janitor.start();
  }

  async #appendIn(transaction: LogTransaction, request: AppendRequest): Promise<AppendResult> {
    refusePool(transaction);
    const outcome = await this.#statement.runIn(transaction, request, this.capabilities.dedupeWindowMs);
    if (outcome.outcome === 'made') this.#followed().expect(outcome.index);
    return resultOf(outcome, request);
  }

  #wrote(outcomes: readonly AppendOutcome[], requests: readonly AppendRequest[]): void {
    const records = outcomes.flatMap(({ outcome, index, time }, at): LogRecord[] => {
      const { kind, body } = requests[at] as AppendRequest;
      return outcome === 'made' ? [{ index, kind, time, body }] : [];
    });
    this.#follower?.appended(outcomes[0]?.epoch ?? '', records);
    if (records.length > 0) this.#notifier.signal();
  }

  #told(news: string): void {
    const [from, epoch = '', index] = news.split(' ');
    if (from !== this.#self) this.#follower?.told(epoch, Number(index));
  }

  #makeConnection(): OwnConnection {
    const { connect, requestTimeoutMs: timeoutMs } = this.#settings;
    return new OwnConnection({
      connect,
      // Notices are not waited for on the disk; nothing else is written on this connection. Plans are kept from when
      // there was hardly a record: they are to go along the index in any case.
      setup: `SET synchronous_commit TO off; SET jit TO off; SET enable_seqscan TO off; SET enable_bitmapscan TO off;
        LISTEN "${this.#channel}"`,
      timeoutMs,
      onNotice: (news) => this.#told(news),
      onLost: () => this.#follower?.lost(),
    });
  }

  #makeHistory(): History {
    const { pool, requestTimeoutMs: timeoutMs } = this.#settings;
    const requireOpen = () => this.#requireOpen();
    const parts = { pool: this.#pool, reading: this.#reading, poolSize: poolSize(pool) };
    return new History({ ...parts, timeoutMs, requireOpen });
  }

  #makeJanitor(): Janitor {
    const { retention, dedupeWindowMs, requestTimeoutMs } = this.#settings;
    const query = (text: string, values: unknown[]) =>
      this.#pool.run(requestTimeoutMs, (client) => client.query(text, values));
    return new Janitor({ names: this.#settings, query, retention, dedupeWindowMs });
  }

  #followed(): Follower {
    if (this.#follower) return this.#follower;
    throw closedError();
  }

  #requireOpen(): void {
    if (this.#closing) throw closedError();
  }
}

const closedError = (): BrokerError => new BrokerError('closed', 'The log is closed.');
