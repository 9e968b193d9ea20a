import type { Event, EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import type { Position } from './read-position.ts';
import type { StreamError } from './stream-error.ts';
import type { Snapshot, StreamOptions } from './stream-options.ts';
import type { WatchWakeUps } from './wait.ts';

/**
 * What of the client not every page needs. Each is exported under its own name; a bundler leaves out what
 * `streamEventsWith` is not given.
 */
export interface StreamFeatures {
  /**
   * Options that cannot be meant are refused with a `TypeError` that says what is allowed. Without it they do what they
   * do: for programs that a compiler has checked.
   */
  readonly checks?: ((options: StreamOptions) => void) | undefined;
  /** Where a proxy holds ndjson back, server-sent events are asked for. */
  readonly serverSentEvents?: ServerSentEvents | undefined;
  /** Asks at once when the browser is back online, or the page is shown. */
  readonly wakeUps?: WatchWakeUps | undefined;
  /** The option `snapshot`. */
  readonly snapshots?: MakeSnapshots | undefined;
  /** Nomad's own servers, which name no epoch. Without it a stream of theirs ends with `not_supported`. */
  readonly nomad?: NomadSupport | undefined;
}

/** Makes lines of ndjson of server-sent events. */
export type ServerSentEvents = (maxLineBytes: number) => {
  /** Takes one line; what it completes is returned: a line of ndjson. */
  take(text: string): string | undefined;
};

/** @param isDue it is asked for before the first connection */
export type MakeSnapshots = (ask: () => Snapshot<unknown> | Promise<Snapshot<unknown>>, isDue: boolean) => Snapshots;

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
export interface NomadSupport {
  /** The terms and namespaces to ask for: Nomad takes them otherwise where one covers another. */
  widest(terms: readonly string[], namespaces: readonly string[]): readonly [readonly string[], readonly string[]];
  /** What was read of a server that names no epoch. */
  batches(seen: readonly string[] | undefined): NamelessBatches;
  /** What the end of a connection means that brought nothing: where it cuts it, the token is denied. */
  afterSilence(error: unknown): unknown;
  /** Why what is asked for cannot be had there; undefined where it can. */
  refusal(isState: boolean, namespaces: number): StreamError | undefined;
}

/** What was read of a server that names no epoch, for one that has several batches of one index and tells no gap. */
export interface NamelessBatches {
  /** Marks of the batches with the last index that were handed over. */
  readonly seen: readonly string[];
  /** A connection is open. */
  opened(): void;
  /** A server that names its epoch has passed this index: what was marked says nothing more. */
  forget(): void;
  /** What may be missing before this batch. */
  untold(last: number, index: number, events: readonly Event[]): Gap | undefined;
  /** Whether this was handed over on an earlier connection. If not, it counts as handed over from now on. */
  isRepeat(last: number | 'latest', index: number, events: readonly Event[]): boolean;
}
