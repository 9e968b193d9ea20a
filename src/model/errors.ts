import type { Gap } from './gap.ts';

/**
 * What a reader should do after an error.
 *
 * - `resume`: send the same request again, from `Index` + 1.
 * - `resubscribe`: subscribe anew, with other credentials or another position.
 * - `never`: the same request fails again.
 */
export type Retry = 'resume' | 'resubscribe' | 'never';

interface CodeFacts {
  /** HTTP status of this error while no byte of the stream has been sent. */
  readonly status: number;
  readonly retry: Retry;
}

const never = <S extends number>(status: S) => ({ status, retry: 'never' }) as const;
const resubscribe = <S extends number>(status: S) => ({ status, retry: 'resubscribe' }) as const;
const resume = <S extends number>(status: S) => ({ status, retry: 'resume' }) as const;

/**
 * Every code that a {@link BrokerError} can have. docs/errors.md has a heading for each; a test holds the two together.
 */
export const errorCodes = Object.freeze({
  bad_request: never(400),
  permission_denied: resubscribe(403),
  method_not_allowed: never(405),
  gap: resubscribe(410),
  slow: resubscribe(410),
  restarted: resubscribe(410),
  acl_revoked: resubscribe(403),
  acl_expired: resubscribe(403),
  acl_unavailable: resume(503),
  closed: resume(503),
  rotate: resume(503),
  at_capacity: resume(503),
  log_unavailable: resume(503),
  internal: resume(500),
  index_conflict: never(409),
  unpublished: never(500),
  not_supported: never(501),
} satisfies Record<string, CodeFacts>);

/** A stable name of a failure: programs compare this, never the message. */
export type BrokerErrorCode = keyof typeof errorCodes;

/** A broker's limit past which something is refused. */
export type LimitName =
  | 'subscriptions'
  | 'subscriptionsPerToken'
  | 'topicsPerRequest'
  | 'placesPerRequest'
  | 'placesInAll'
  | 'placesPerToken'
  | 'eventsPerBatch'
  | 'bytesPerEvent';

/** One way in which a payload does not fit its topic's schema. */
export interface PayloadIssue {
  /** Which of the events that were published together: 0 for the first, and for a single one. */
  readonly event: number;
  /** Where in its payload: `['items', 0, 'price']`; empty for the whole of it. A symbol is told as its text. */
  readonly path: readonly (string | number)[];
  /** The schema's own words. Some libraries quote the value in them. */
  readonly message: string;
}

export interface BrokerErrorOptions {
  /** Newest index that the subscription had passed when it ended; 0 when it had passed none. */
  readonly index?: number | undefined;
  /** What is missing, where that is the reason. */
  readonly gap?: Gap | undefined;
  /** Which of the broker's `limits` is the reason. */
  readonly limit?: LimitName | undefined;
  /** In what a payload does not fit, where that is the reason. */
  readonly issues?: readonly PayloadIssue[] | undefined;
  readonly cause?: unknown;
}

/** A gap as it stands on the wire. */
export interface WireGap {
  readonly From: number;
  readonly To: number;
  readonly Reason: Gap['reason'];
  readonly Epoch?: string;
  readonly Mark?: string;
}

/** The error as it stands on the wire, in a response's body and as a stream's last line. */
export interface WireError {
  readonly Error: {
    readonly Code: BrokerErrorCode;
    readonly Message: string;
    readonly Retry: Retry;
    readonly Index?: number;
    readonly Gap?: WireGap;
  };
}

const brand = Symbol.for('fenceline.BrokerError');

const LOG_IS_DOWN = 'The event log is not available at the moment.';

/**
 * An operational failure: something that a client, an operator or a store can cause, as opposed to a programming
 * mistake (`TypeError`) or a bug of this library (`Invariant failed`).
 *
 * Recognise it by {@link BrokerError.is}, not by `instanceof`: a program may hold two copies of this package.
 */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly code: BrokerErrorCode;
  /** Newest index that the subscription had passed when it ended. */
  readonly index: number | undefined;
  /** What is missing, where that is the reason: with `gap`, `slow`, `restarted`. */
  readonly gap: Gap | undefined;
  /** Which of the broker's `limits` is the reason, where one is. Clients are told it in the message alone. */
  readonly limit: LimitName | undefined;
  /**
   * In what a payload does not fit its topic's schema, where that is the reason: the first hundred of the first event
   * that does not. Clients of a stream are never told of them; the message holds the first few.
   */
  readonly issues: readonly PayloadIssue[] | undefined;

  constructor(code: BrokerErrorCode, message: string, options: BrokerErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.index = options.index;
    this.gap = options.gap;
    this.limit = options.limit;
    this.issues = options.issues;
    Object.defineProperty(this, brand, { value: true });
  }

  /** What a reader should do next. */
  get retry(): Retry {
    return errorCodes[this.code].retry;
  }

  /** HTTP status while nothing has been sent yet. */
  get status(): number {
    return errorCodes[this.code].status;
  }

  static is(value: unknown): value is BrokerError {
    try {
      return typeof value === 'object' && value !== null && brand in value;
    } catch {
      // A proxy that was revoked, or throws: whatever can be thrown can be asked for.
      return false;
    }
  }

  /**
   * `value` itself when it is a BrokerError; else an `internal` one with `value` as its cause, whose text tells nothing
   * of it.
   */
  static from(value: unknown): BrokerError {
    if (BrokerError.is(value)) return value;
    return new BrokerError('internal', 'The server failed to serve this stream.', { cause: value });
  }

  /** The same error, saying how far the subscription had come. */
  at(index: number): BrokerError {
    const { gap, limit, issues, cause } = this;
    return new BrokerError(this.code, this.message, { index, gap, limit, issues, cause });
  }

  /**
   * The object that clients get. It never holds the cause. That a log is down is all they hear of it: its own message
   * names paths, servers and streams, and whoever asks may hear it without a token.
   */
  toWire(): WireError {
    return this.#told(this.code === 'log_unavailable' ? LOG_IS_DOWN : this.message);
  }

  /**
   * What a log line gets: the wire form with the host's own message, so that no cause and no secret is printed by
   * accident.
   */
  toJSON(): WireError {
    return this.#told(this.message);
  }

  #told(message: string): WireError {
    const { code, retry, index, gap } = this;
    return {
      Error: {
        Code: code,
        Message: message,
        Retry: retry,
        ...(index === undefined ? {} : { Index: index }),
        ...(gap === undefined ? {} : { Gap: wireGap(gap) }),
      },
    };
  }
}

/** @internal Nothing more can be asked of this broker. */
export const closed = (): BrokerError => new BrokerError('closed', 'The broker is closed.');

/** @internal One text for whoever is denied: why is the cause, for the host alone. */
export const permissionDenied = (cause: unknown): BrokerError =>
  new BrokerError('permission_denied', 'Permission denied.', { cause });

/** @internal Rights that a stream rests on were not confirmed. */
export const unconfirmed = (cause?: unknown): BrokerError =>
  new BrokerError('acl_unavailable', 'The rights could not be checked in time.', { cause });

/** A gap as lines and errors of the wire hold it. */
export function wireGap({ from, to, reason, epoch, mark }: Gap): WireGap {
  return {
    From: from,
    To: to,
    Reason: reason,
    ...(epoch === undefined ? {} : { Epoch: epoch }),
    ...(mark === undefined ? {} : { Mark: mark }),
  };
}

/** @internal A change took the rights away, or the answer after it does not suffice. */
export const revoked = (): BrokerError =>
  new BrokerError('acl_revoked', 'The rights that this stream rests on were taken away.');
