import type { EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import type { StreamState } from './connection-state.ts';
import type { LineReader } from './line-reader.ts';
import type { Place, Position, ReadPosition } from './read-position.ts';
import type { StreamError } from './stream-error.ts';
import type { StreamFeatures, StreamPart } from './stream-features.ts';
import type { Snapshot, StreamOptions } from './stream-options.ts';
import type { StreamClock } from './wait.ts';
import type { LineSettings } from './watched-lines.ts';
import type { StateLine, Wire } from './wire.ts';

/** What of the client not every page needs, as the stream uses it. */
export interface StreamParts {
  readonly checks?: OptionChecks;
  readonly nomad?: NomadSupport;
  readonly serverSentEvents?: ServerSentEvents;
  readonly signals?: SharedSignals;
  readonly snapshots?: SnapshotSupport;
  readonly state?: StateSupport;
  readonly wakeUps?: WakeUps;
}

/** What was given to `streamEventsWith`: the library made each part. */
export const partsOf = (features: StreamFeatures): StreamParts => features as StreamParts;

export interface OptionChecks extends StreamPart<'checks'> {
  /** @throws TypeError for options that cannot be meant */
  check(options: StreamOptions): void;
  /** @throws TypeError that says what of a request cannot be sent, without showing it */
  request(url: string | URL, headers: Readonly<Record<string, string>>): void;
}

export interface WakeUps extends StreamPart<'wakeUps'> {
  /** A wait has begun: asks at once when the machine wakes and it is worth it. @returns what to call at its end */
  watch(stream: WokenStream, clock: StreamClock, limitMs: number): () => void;
}

/** As much of a stream as is needed to wake it. */
export interface WokenStream {
  readonly state: StreamState;
  reconnect(): void;
}

/** The options `state` and `mark`. */
export interface StateSupport extends StreamPart<'state'> {
  position(place: Place): ReadPosition;
  /** What a line says of the state. @throws StreamError `malformed` */
  read(wire: Wire): StateLine;
}

/** A part that reads the answers of 200, and minds it when one is silent. */
interface ReadsLines {
  lines(response: Response, settings: LineSettings): LineReader;
}

/** Server-sent events, and when they are asked for. */
export interface ServerSentEvents extends StreamPart<'serverSentEvents'>, ReadsLines {
  /**
   * A connection has failed. A 200 without a byte: something on the way may hold back what is no server-sent events, so
   * they are asked for next, and lines again where these do not come either.
   * @returns what the failure means, where that is something else
   */
  after(error: unknown, connection: FailedConnection, request: { isEvents: boolean }): StreamError | undefined;
}

interface FailedConnection {
  /** It answered 200, and then nothing for long. */
  readonly isSilent: boolean;
}

export interface SnapshotSupport extends StreamPart<'snapshots'> {
  /** @param isDue it is asked for before the first connection */
  open(ask: () => Snapshot<unknown> | Promise<Snapshot<unknown>>, isDue: boolean): Snapshots;
}

/** The host's own state, asked for first and after each gap. */
export interface Snapshots {
  /** It is to be asked for before the server is. */
  readonly isDue: boolean;
  /** Events are missing: @returns what ends the connection, so that the next begins behind a new snapshot */
  askAgain(gap: Gap): StreamError;
  /** @throws StreamError `snapshot_failed`, which is tried again */
  take(): Promise<TakenSnapshot>;
  /** What was taken is handed over. Not before: an answer that comes too late must not count. */
  taken(): void;
}

/** What a snapshot brings: where the stream goes on, and the batch that hands it over. */
export interface TakenSnapshot {
  readonly position: Position;
  readonly batch: EventBatch & { readonly snapshot: unknown };
}

/** What Nomad's own servers do differently. */
export interface NomadSupport extends StreamPart<'nomad'>, ReadsLines {
  /** Makes one of topics and of namespaces where one covers another: Nomad takes them otherwise. */
  widen(query: URLSearchParams): void;
  position(place: Place, query: URLSearchParams): ReadPosition;
  /**
   * What the end of a connection means, where that is something else: where the server was silent and cuts it, the
   * token is denied.
   */
  after(error: unknown, connection: FailedConnection, position: ReadPosition): StreamError | undefined;
}

/** The option `signal`, for many streams of one. */
export interface SharedSignals extends StreamPart<'signals'> {
  onAbort: OnAbort;
}

/** Calls once when the signal is aborted. @returns what takes the call back */
export type OnAbort = (signal: AbortSignal, call: () => void) => () => void;
