import type { EventBatch } from '../model/event.ts';
import type { Place, Position, ReadPosition } from './read-position.ts';
import type { StreamOptions } from './stream-options.ts';
import type { StreamClock } from './wait.ts';

/** What a stream is made of: its options, and what its parts put in their place or beside them. */
export interface StreamSettings extends Omit<Changeable<StreamOptions>, 'clock' | 'fetch' | 'maxLineBytes'> {
  clock: StreamClock;
  maxLineBytes: number;
  fetch?: Fetch | undefined;
  /** Completes what is asked for. */
  query?(query: URLSearchParams): void;
  /** @throws TypeError that says what of a request cannot be sent, without showing it */
  checkRequest?(url: string | URL, headers: Readonly<Record<string, string>>): void;
  /** Listens to `signal`. */
  onAbort: OnAbort;
  /** Follows the stream from this place on. */
  positionAt(place: Place): ReadPosition;
  /** What has to be had before the server is asked: returns what gives it over. Undefined while nothing has. */
  prepare?: (() => Promise<() => Prepared>) | undefined;
}

type Changeable<T> = { -readonly [Name in keyof T]: T[Name] };

/** A batch that comes from elsewhere, and where the stream goes on after it. */
export interface Prepared {
  readonly position: Position;
  readonly batch: EventBatch;
}

/** `fetch`, as far as a stream needs it. */
export type Fetch = (url: URL, init: FetchInit) => Promise<Answer>;

export interface FetchInit {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly redirect: 'manual' | 'follow';
  readonly cache: 'no-store';
  readonly credentials?: StreamOptions['credentials'] & string;
}

/** As much of a `Response` as is read. */
export interface Answer extends Pick<Response, 'status' | 'headers' | 'bodyUsed'> {
  readonly body: { getReader(): BodyReader } | null;
}

export interface BodyReader {
  read(): Promise<{ readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/** Calls once when the signal is aborted. @returns what takes the call back */
export type OnAbort = (signal: AbortSignal, call: () => void) => () => void;

/**
 * Without a byte for so long the peer is dead. Infinity where the server sends no heartbeats (0), so that silence says
 * nothing.
 * @param serverHeartbeatMs what the server says, where the caller says nothing
 */
export const deadAfterMs = ({ heartbeatMs }: Pick<StreamOptions, 'heartbeatMs'>, serverHeartbeatMs = 30_000): number =>
  2.5 * (heartbeatMs ?? (serverHeartbeatMs || Infinity));
