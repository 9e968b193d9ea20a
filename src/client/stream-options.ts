import type { EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import type { TopicKeys } from '../core/matching/topic-filter.ts';
import type { EventOf, TopicMap, Topics } from '../model/topics.ts';
import type { StreamState } from './connection-state.ts';
import type { StreamClock } from './wait.ts';

/** Names that a filter of a declared set of topics may use. */
export type TopicNameOf<S extends Topics> = S extends Topics<TopicMap, infer Name> ? Name : string;

/** Batches of a declared set of topics: `payload` narrows with `topic`. */
export type BatchOf<S extends Topics, V = unknown> = EventBatch<EventOf<S['payloads']>> & {
  /** What `snapshot` answered: what the reader held before counts no more. Absent in all other batches. */
  readonly snapshot?: V;
};

/** `['Job:web', 'Node']`, or the same as `{ Job: ['web'], Node: ['*'] }`. */
export type StreamTopics<S extends Topics> =
  | readonly (TopicNameOf<S> | '*' | `${TopicNameOf<S> | '*'}:${string}`)[]
  | TopicKeys<TopicNameOf<S>>;

/** A state that the host keeps itself, and where the stream goes on after it. */
export interface Snapshot<V> {
  readonly value: V;
  /** `broker.position`, taken *before* the state was read: what was published meanwhile comes then. */
  readonly index: number;
  readonly epoch?: string | undefined;
}

export interface StreamOptions<S extends Topics = Topics, V = unknown> {
  /** Default everything, which may need a management token. */
  readonly topics?: StreamTopics<S> | undefined;
  /**
   * One, several, or `'*'` for all. Default: the server's, which is `default`. Nomad's own servers take one or all:
   * several end the stream there with `not_supported`.
   */
  readonly namespace?: string | readonly string[] | undefined;
  /** 0 (the default): the backlog, then live; n: from n on; `'latest'`: only what comes. The server refuses others. */
  readonly index?: number | 'latest' | undefined;
  /**
   * The state first: of topics that the server retains the newest event of each key, then a batch with `current: true`,
   * then its changes. Batches may have `removed`. After a gap of the reason `state`, `restarted` or `ahead`, what the
   * reader holds counts no more: the whole state follows, and `current` once more. Not with Nomad's own servers.
   */
  readonly state?: boolean | undefined;
  /** Which state `index` belongs to: from {@link EventStream.position} of an earlier stream. */
  readonly mark?: string | undefined;
  /**
   * For a state that is in a database of the host's: asked first, unless `index` says where to go on, and again after
   * each gap. What it answers comes as a batch with `snapshot`; the stream goes on behind it. It is asked again with
   * growing delays when it fails.
   */
  readonly snapshot?: (() => Snapshot<V> | Promise<Snapshot<V>>) | undefined;
  /** What `index` belongs to: from {@link EventStream.position} of an earlier stream. */
  readonly epoch?: string | undefined;
  /** What of `index` is not handed over again: from {@link EventStream.position} of an earlier stream. */
  readonly seen?: readonly string[] | undefined;
  /** How much of `index` − 1 is not handed over again: from {@link EventStream.position} of an earlier stream. */
  readonly appended?: number | undefined;
  /**
   * Sent as `X-Nomad-Token`. A function is asked before each connection: return the newest, never one known to be
   * denied.
   */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /**
   * Whether cookies go along: `fetch`'s option of this name. Default the runtime's, in browsers `'same-origin'`.
   * `'include'` for a server of another origin, which must allow it (`Access-Control-Allow-Credentials: true`).
   */
  readonly credentials?: 'omit' | 'same-origin' | 'include' | undefined;
  /** Ends the loop as {@link EventStream.close} does, quietly. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Upper bound of the first delay before connecting again. Doubles with each connection that brings nothing. After one
   * that brought a line and was cut: half to one and a half of it. Default 250.
   */
  readonly minDelayMs?: number | undefined;
  /** Upper bound of every such delay; what a `Retry-After` asks for (at most an hour) comes on top. Default 30,000. */
  readonly maxDelayMs?: number | undefined;
  /**
   * How often the server sends at least a heartbeat. Without a byte for 2.5 times as long, the peer is dead. Default:
   * what the server says with its first heartbeat, and 30,000 until then. Below 28,000, a Nomad server's way to deny a
   * token is not recognised.
   */
  readonly heartbeatMs?: number | undefined;
  /** Longest line that is accepted; a longer one ends the stream with `line_too_long`. Default 16 MiB. */
  readonly maxLineBytes?: number | undefined;
  /**
   * Statuses after which the same request is made again, whatever the server says beside them, such as `[404]` while a
   * route is being deployed. Beside 408, 425, 429 and those from 500 on; a 401 or 403 is then no denial.
   */
  readonly retryStatuses?: readonly number[] | undefined;
  /**
   * Makes a value of the text of a line. Default `JSON.parse`. For payloads with integers beyond 2⁵³, which
   * `JSON.parse` rounds: a parser that makes a `bigint` of those alone. What it throws counts as a malformed line.
   */
  readonly parse?: ((line: string) => unknown) | undefined;
  /**
   * When events are missing. `'continue'` (the default): the next batch has a `gap`. `'fail'`: the loop throws a
   * StreamError with the `gap`. A function is called at once instead, and what it throws ends the stream.
   */
  readonly onGap?: 'continue' | 'fail' | ((gap: Gap) => void) | undefined;
  /** Called after each change of {@link EventStream.state}. What it throws ends the stream. */
  readonly onState?: ((state: StreamState) => void) | undefined;
  /** Further request headers. Not the token's: `token` is not sent to another server than yours. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default the runtime's. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Spreads the delays: from 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Time, for tests. */
  readonly clock?: StreamClock | undefined;
}
