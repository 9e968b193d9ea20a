import type { EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import type { TopicKeys } from '../core/matching/topic-filter.ts';
import type { EventOf, TopicMap, Topics } from '../model/topics.ts';
import type { StreamState } from './connection-state.ts';
import type { StreamClock } from './wait.ts';

/** Names that a filter of a declared set of topics may use. */
export type TopicNameOf<S extends Topics> = S extends Topics<TopicMap, infer Name> ? Name : string;

/** Batches of a declared set of topics: `payload` narrows with `topic`. */
export type BatchOf<S extends Topics> = EventBatch<EventOf<S['payloads']>>;

/** `['Job:web', 'Node']`, or the same as `{ Job: ['web'], Node: ['*'] }`. */
export type StreamTopics<S extends Topics> =
  | readonly (TopicNameOf<S> | '*' | `${TopicNameOf<S> | '*'}:${string}`)[]
  | TopicKeys<TopicNameOf<S>>;

export interface StreamOptions<S extends Topics = Topics> {
  /** Default everything, which may need a management token. */
  readonly topics?: StreamTopics<S> | undefined;
  /**
   * One, several, or `'*'` for all. Default: the server's, which is `default`. Nomad's own servers take one or all:
   * several end the stream there with `not_supported`.
   */
  readonly namespace?: string | readonly string[] | undefined;
  /** 0 (the default): the backlog, then live; n: from n on; `'latest'`: only what comes. The server refuses others. */
  readonly index?: number | 'latest' | undefined;
  /** What `index` belongs to: from {@link EventStream.position} of an earlier stream. */
  readonly epoch?: string | undefined;
  /** What of `index` is not handed over again: from {@link EventStream.position} of an earlier stream. */
  readonly seen?: readonly string[] | undefined;
  /**
   * Sent as `X-Nomad-Token`. A function is asked before each connection: return the newest, never one known to be
   * denied.
   */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
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
