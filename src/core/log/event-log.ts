/** What a record holds: events, or the news that ACLs changed without an event. */
export type LogRecordKind = 'events' | 'acl';

/** One batch, as a log keeps it. */
export interface LogRecord {
  /** Safe integer ≥ 1, given by the log, strictly increasing. */
  readonly index: number;
  readonly kind: LogRecordKind;
  /** When it was appended, milliseconds since 1970. Informative: nothing is ordered by it. */
  readonly time: number;
  readonly body: Uint8Array;
}

/** A record that is kept beyond retention. */
export interface PinnedRecord extends LogRecord {
  /** The keys that are pinned to it; of others in its body it is not the newest. */
  readonly pins: readonly string[];
}

/** Where a log stands. */
export interface LogState {
  /** Name of this run of indexes. Another epoch means that earlier indexes mean nothing. */
  readonly epoch: string;
  /** Oldest index that can be read; `head + 1` when there is none. */
  readonly first: number;
  /** Newest index; 0 before the first append. Never falls within an epoch, also when everything was trimmed. */
  readonly head: number;
}

/** What a log can do. Declared, so that a host learns of a missing one when it asks, not when it is too late. */
export interface LogCapabilities {
  /** Other processes can append to it and tail it. */
  readonly shared: boolean;
  /** What an acknowledged append outlives: nothing, the process, a power loss, the loss of a machine. */
  readonly durability: 'none' | 'os' | 'disk' | 'quorum';
  /** For how long an append with the same id is recognised as the same; 0: not at all. */
  readonly dedupeWindowMs: number;
  /** `append` honours `expectedHead`. */
  readonly compareAndAppend: boolean;
  /** Largest body in bytes. */
  readonly maxRecordBytes: number;
  /** Indexes have no holes but trimmed ones. */
  readonly dense: boolean;
  /** `append` honours `pins` and `unpins`, and there is {@link EventLog.pinned}. Absent: it does not. */
  readonly pins?: boolean;
  /** `append` honours `transaction`. Absent: it does not. */
  readonly transactional?: boolean;
}

/**
 * A transaction that the host has begun, and that the host ends: a client of `pg`, or a thin wrapper of what an ORM
 * gives for its own.
 */
export interface LogTransaction {
  /**
   * Runs one statement within the transaction.
   * @param text SQL with `$1`, `$2` …
   * @param values strings, Buffers and null
   * @returns `rows`: an object for each row, by the names of its columns
   */
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export interface AppendOptions {
  /** Default `'events'`. */
  readonly kind?: LogRecordKind;
  /** Appends with one id within the dedupe window make one record. */
  readonly id?: string | undefined;
  /** Append only if the log's head is this index. @throws BrokerError `index_conflict` otherwise */
  readonly expectedHead?: number | undefined;
  /**
   * Keys of which this record holds the newest from now on. It outlives retention until a later record pins the same
   * key, or unpins it. Any strings, also an empty one, of at most 1,024 bytes each. `not_supported` without
   * {@link LogCapabilities.pins}, `bad_request` for one that is longer, or in {@link unpins} as well.
   */
  readonly pins?: readonly string[] | undefined;
  /** Keys that no record has to be kept for any more. Refused as {@link pins} are. */
  readonly unpins?: readonly string[] | undefined;
  /**
   * Append within this transaction of the host's: resolves when the record is written, which is there for others when
   * the transaction commits, and never when it does not. Its index is its own from then on; a transaction that rolls
   * back gives it back.
   */
  readonly transaction?: LogTransaction | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AppendResult {
  readonly index: number;
  /** An earlier append with the same id had made the record. */
  readonly duplicate: boolean;
}

export interface ReadOptions {
  /** How much to hand over at once, in bytes of bodies. Default 1 MiB; at least one record. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /**
   * The run of indexes that they are of: a log that is another one by now refuses with `gap` instead of handing over
   * what has these indexes there. Default: the one that it has when the read begins.
   */
  readonly epoch?: string;
}

export interface Retention {
  readonly maxRecords?: number;
  readonly maxAgeMs?: number;
  readonly maxBytes?: number;
}

/** Whether the log answers. */
export type LogStatus = 'up' | 'catching-up' | 'down';

/**
 * What a tail tells. Calls never overlap; they come in the order in which things happened. One that throws, or a
 * promise of `records` that rejects, ends its tail, which says so once: `down`, with what was thrown, or an error that
 * has it as its cause. The log and its other tails go on. All but `records` answer at once: a promise of theirs is not
 * waited for.
 */
export interface TailHandler {
  /** Records in order, each once, without a hole. A returned promise is backpressure: the next call waits for it. */
  records(batch: readonly LogRecord[]): void | Promise<void>;
  /** Records after `after` and before `first` were trimmed before the tail could read them. */
  gap(gap: { readonly after: number; readonly first: number }): void;
  /**
   * The log has another epoch, or lost records that were told of: the tail goes on after `state.head`, which may be
   * before what took their place.
   */
  reset(state: LogState): void;
  /** `down` until the log answers again, then `catching-up`, then `up`. */
  status(status: LogStatus, cause?: Error): void;
}

export interface LogTail {
  /** Ends the tail. No call of the handler starts after the promise has resolved. */
  stop(): Promise<void>;
}

/**
 * A durable or shared log of batches. Allocation of an index and the append are one act; one record is one batch.
 *
 * Implement this, and run `describeEventLog` of `fenceline/testing` over it.
 * Failures are `BrokerError`s: `log_unavailable` (the log does not answer; nothing is known of the append unless said),
 * `at_capacity` (too many appends under way), `bad_request` (body too large, naming the limit), `index_conflict`,
 * `not_supported`, `gap` (from `read`, and from `pinned` where another log took its place), `closed`.
 */
export interface EventLog {
  readonly capabilities: LogCapabilities;
  /** Where the log stands now. */
  state(): Promise<LogState>;
  /** Resolves when the record is as durable as {@link LogCapabilities.durability} says. */
  append(body: Uint8Array, options?: AppendOptions): Promise<AppendResult>;
  /**
   * The records `from` … `to`, both inclusive, in chunks. Ends at `to` or at the head.
   * @throws BrokerError `gap` when `from` is older than the oldest record, also when it is trimmed while being read
   */
  read(from: number, to: number, options?: ReadOptions): AsyncIterable<readonly LogRecord[]>;
  /**
   * The records before {@link LogState.first} that are kept because a key is pinned to them, in the order of their
   * indexes, in chunks as {@link read} gives them. One that is trimmed meanwhile, or no longer pinned, may be among
   * them or not. Only with {@link LogCapabilities.pins}.
   */
  pinned?(options?: ReadOptions): AsyncIterable<readonly PinnedRecord[]>;
  /**
   * Follows the log from the record after `after`, of the epoch that {@link state} last told: another one is a `reset`.
   * Survives outages by itself and tells them through `status`.
   */
  tail(after: number, handler: TailHandler): Promise<LogTail>;
  /** Drops the oldest records. Absent where the engine does it by itself. */
  trim?(retention: Retention): Promise<LogState>;
  close(): Promise<void>;
}
