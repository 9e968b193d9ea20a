import type { BrokerErrorCode, Retry } from '../model/errors.ts';
import type { Gap } from '../model/gap.ts';

/**
 * What can end a connection: the server's own codes, and those of the client. A newer server may send codes not listed
 * here.
 */
export type StreamErrorCode =
  | BrokerErrorCode
  /** The connection failed, was cut, or ended without saying why. */
  | 'network'
  /** No byte came for so long that the peer must be dead. */
  | 'timeout'
  /** The `token` function failed. */
  | 'token_failed'
  /** The `snapshot` function failed, or answered nonsense. */
  | 'snapshot_failed'
  /** An HTTP status without an error object, other than 401 and 403, which are `permission_denied`. */
  | 'http_status'
  /** A whole line that is none of the protocol's. */
  | 'malformed'
  /** A line longer than `maxLineBytes`. */
  | 'line_too_long';

export interface StreamErrorOptions {
  readonly status?: number | undefined;
  readonly index?: number | undefined;
  readonly gap?: Gap | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

const brand = Symbol.for('fenceline.StreamError');

/**
 * Why a stream was interrupted or ended. Thrown out of the loop only when it cannot heal.
 *
 * Recognise it by {@link StreamError.is}, not by `instanceof`: a program may hold two copies of this package.
 */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  declare readonly code: StreamErrorCode;
  /** What helps: the same request again, other credentials or another position, or nothing. */
  declare readonly retry: Retry;
  /** HTTP status, when the server refused before the first byte. */
  declare readonly status: number | undefined;
  /** Newest index that the server's side of the stream had passed, when it says so. */
  declare readonly index: number | undefined;
  /** What is missing, when a gap ended the stream (`onGap: 'fail'`) or the server refused for one. */
  declare readonly gap: Gap | undefined;
  /** How long the server asked to be left alone, in milliseconds. */
  declare readonly retryAfterMs: number | undefined;

  constructor(code: StreamErrorCode, message: string, retry: Retry, options: StreamErrorOptions = {}) {
    super(message, options);
    Object.assign(this, { code, retry }, options);
    Object.defineProperty(this, brand, { value: true });
  }

  static is(value: unknown): value is StreamError {
    return !!(value as Branded | null | undefined)?.[brand];
  }
}

interface Branded {
  readonly [brand]?: true;
}
