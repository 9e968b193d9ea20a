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

/** Every code that a {@link BrokerError} can have. The README has a heading for each; a test holds the two together. */
export const errorCodes = Object.freeze({
  bad_request: { status: 400, retry: 'never' },
  permission_denied: { status: 403, retry: 'resubscribe' },
  method_not_allowed: { status: 405, retry: 'never' },
  gap: { status: 410, retry: 'resubscribe' },
  slow: { status: 410, retry: 'resubscribe' },
  restarted: { status: 410, retry: 'resubscribe' },
  acl_revoked: { status: 403, retry: 'resubscribe' },
  acl_expired: { status: 403, retry: 'resubscribe' },
  acl_unavailable: { status: 503, retry: 'resume' },
  closed: { status: 503, retry: 'resume' },
  at_capacity: { status: 503, retry: 'resume' },
  log_unavailable: { status: 503, retry: 'resume' },
  internal: { status: 500, retry: 'resume' },
  index_conflict: { status: 409, retry: 'never' },
  not_supported: { status: 501, retry: 'never' },
} as const satisfies Record<string, CodeFacts>);

/** A stable name of a failure: programs compare this, never the message. */
export type BrokerErrorCode = keyof typeof errorCodes;

export interface BrokerErrorOptions {
  /** Newest index that the subscription had passed when it ended; 0 when it had passed none. */
  readonly index?: number;
  readonly cause?: unknown;
}

/** The error as it stands on the wire, in a response's body and as a stream's last line. */
export interface WireError {
  readonly Error: {
    readonly Code: BrokerErrorCode;
    readonly Message: string;
    readonly Retry: Retry;
    readonly Index?: number;
  };
}

const brand = Symbol.for('fenceline.BrokerError');

/**
 * An operational failure: something that a client, an operator or a store can cause, as opposed to a programming mistake
 * (`TypeError`) or a bug of this library (`Invariant failed`).
 *
 * Recognise it by {@link BrokerError.is}, not by `instanceof`: a program may hold two copies of this package.
 */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly code: BrokerErrorCode;
  readonly index: number | undefined;

  constructor(code: BrokerErrorCode, message: string, options: BrokerErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.index = options.index;
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
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** `value` itself when it is a BrokerError; else an `internal` one with `value` as its cause, whose text tells nothing of it. */
  static from(value: unknown): BrokerError {
    if (BrokerError.is(value)) return value;
    return new BrokerError('internal', 'The server failed to serve this stream.', { cause: value });
  }

  /** The same error, saying how far the subscription had come. */
  at(index: number): BrokerError {
    return new BrokerError(this.code, this.message, { index, cause: this.cause });
  }

  /** The object that clients get. It never holds the cause. */
  toWire(): WireError {
    const { code, message, retry, index } = this;
    return {
      Error: { Code: code, Message: message, Retry: retry, ...(index === undefined ? {} : { Index: index }) },
    };
  }

  /** What a log line gets: the wire form, so that no cause and no secret is printed by accident. */
  toJSON(): WireError {
    return this.toWire();
  }
}
