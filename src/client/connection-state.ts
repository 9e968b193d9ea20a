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
