/// <reference lib="esnext.disposable" preserve="true" />
import type { EventBatch } from '../../model/event.ts';
import type { StreamState } from '../connection-state.ts';
import type { Position } from '../read-position.ts';

/** A stream over a connection that tabs share, or over one of its own: see `sharedByTabs`. */
export interface SharedStream<Batch extends EventBatch = EventBatch> extends AsyncIterableIterator<Batch> {
  /** What the connection is doing now, whichever tab has it. */
  readonly state: StreamState;
  /** Where to go on after a restart of this tab, as {@link EventStream.position}. */
  readonly position: Position;
  /**
   * Calls may overlap; they are answered in order.
   * @throws StreamError when the stream has ended for a reason that cannot heal
   */
  next(): Promise<IteratorResult<Batch, undefined>>;
  /** Ends the stream in this tab; called by leaving the loop. */
  return(): Promise<IteratorResult<Batch, undefined>>;
  [Symbol.asyncIterator](): this;
  /** `await using` closes the stream. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Gives up the connection, whichever tab has it, and asks at once. */
  reconnect(): void;
  /** Ends the stream in this tab. Where it had the connection, another tab goes on. May be called again. */
  close(): void;
}
