import type { StreamError } from './stream-error.ts';

/** What a watcher of the stream sees. */
export type StreamState =
  /** Asking the server; also before the first batch is asked for, and after `reconnect()`. */
  | { readonly name: 'connecting' }
  /** A line came; batches come as they are published. */
  | { readonly name: 'live' }
  /** Cut off; asks again after the delay. */
  | { readonly name: 'waiting'; readonly delayMs: number; readonly reason: StreamError }
  /** Over. Without a reason, the reader closed it; else a StreamError, or what a callback threw. */
  | { readonly name: 'closed'; readonly reason?: unknown };

/**
 * Where the connection is. `denied` and `renewing` are `waiting` and `connecting` after a denial: the next one is
 * final.
 */
export type Phase = 'connecting' | 'live' | 'waiting' | 'denied' | 'renewing' | 'closed';

/** What can happen to it. */
export type Input =
  /**
   * A line of the stream came. An answer of 200 alone means nothing: Nomad's servers give it to those whom they deny.
   */
  | 'opened'
  /** Broken in a way that asking again can heal. */
  | 'lost'
  /** The token is not, or no longer, good. */
  | 'denied'
  /** It is time to ask: the delay is over, or `reconnect()` was called. */
  | 'due'
  /** The reader has enough, or it broke in a way that cannot heal. */
  | 'close';

/** Each change there is, but for `close`, which ends all. */
const changes: Readonly<Record<Phase, Readonly<Partial<Record<Input, Phase>>>>> = {
  connecting: { opened: 'live', lost: 'waiting', denied: 'denied' },
  live: { lost: 'waiting', denied: 'denied', due: 'connecting' },
  waiting: { due: 'connecting' },
  denied: { due: 'renewing' },
  renewing: { opened: 'live', lost: 'denied', denied: 'closed' },
  closed: {},
};

/** Total. An input that cannot happen in a phase comes late, and changes nothing. */
export const phaseAfter = (phase: Phase, input: Input): Phase =>
  input === 'close' ? 'closed' : (changes[phase][input] ?? phase);
