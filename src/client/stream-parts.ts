import type { EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import type { NamelessReading, Position } from './read-position.ts';
import type { StreamError } from './stream-error.ts';
import type { StreamFeatures, StreamPart } from './stream-features.ts';
import type { Snapshot, StreamOptions } from './stream-options.ts';
import type { WatchWakeUps } from './wait.ts';

/** What of the client not every page needs, as the stream uses it. */
export interface StreamParts {
  readonly checks?: OptionChecks;
  readonly nomad?: NomadSupport;
  readonly serverSentEvents?: ServerSentEvents;
  readonly snapshots?: SnapshotSupport;
  readonly wakeUps?: WakeUps;
}

/** What was given to `streamEventsWith`: the library made each part. */
export const partsOf = (features: StreamFeatures): StreamParts => features as StreamParts;

export interface OptionChecks extends StreamPart<'checks'> {
  /** @throws TypeError for options that cannot be meant */
  check(options: StreamOptions): void;
}

export interface WakeUps extends StreamPart<'wakeUps'> {
  readonly watch: WatchWakeUps;
}

/** Server-sent events, and when they are asked for. */
export interface ServerSentEvents extends StreamPart<'serverSentEvents'> {
  decoder(maxLineBytes: number): EventsDecoder;
  /**
   * A connection has failed. A 200 without a byte: something on the way may hold back what is no server-sent events, so
   * they are asked for next, and lines again where these do not come either.
   * @returns what the failure means
   */
  after(error: unknown, isSilent: boolean, request: { isEvents: boolean }): unknown;
}

/** Makes lines of ndjson of server-sent events. */
export interface EventsDecoder {
  /** Takes one line; what it completes is returned: a line of ndjson. */
  take(text: string): string | undefined;
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
export interface NomadSupport extends StreamPart<'nomad'> {
  /** The terms and namespaces to ask for: Nomad takes them otherwise where one covers another. */
  widest(terms: readonly string[], namespaces: readonly string[]): readonly [readonly string[], readonly string[]];
  /** What was read of a server that names no epoch. */
  batches(seen: readonly string[] | undefined): NamelessReading;
  /** What the end of a connection means that brought nothing: where it cuts it, the token is denied. */
  afterSilence(error: unknown): unknown;
  /** Why what is asked for cannot be had there; undefined where it can. */
  refusal(isState: boolean, namespaces: number): StreamError | undefined;
}
