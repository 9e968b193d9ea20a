/// <reference lib="esnext.disposable" preserve="true" />
import type { EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import { connect, type Lines } from './connection.ts';
import type { StreamState } from './connection-state.ts';
import type { Position, ReadPosition } from './read-position.ts';
import { Retries } from './retries.ts';
import { StreamError } from './stream-error.ts';
import type { StreamFeatures } from './stream-features.ts';
import type { StreamOptions } from './stream-options.ts';
import { settingsOf } from './stream-parts.ts';
import { requestAt, requestUrl } from './stream-request.ts';
import { deadAfterMs, type Prepared, type StreamSettings } from './stream-settings.ts';
import { Wait } from './wait.ts';
import { type Line, parseLine } from './wire.ts';

/**
 * A stream that outlives its connections. It connects when the first batch is asked for, and reads from the network
 * only while one is asked for: what the reader leaves waits at the server. Held here: one chunk of bytes and one
 * unfinished line.
 */
export class EventStream<Batch extends EventBatch = EventBatch> implements AsyncIterableIterator<Batch> {
  readonly #settings: StreamSettings;
  readonly #url: URL;
  #position: ReadPosition;
  readonly #retries: Retries;
  readonly #wait: Wait;
  readonly #stopListening: (() => void) | undefined;
  /** Ends the present connection, and whatever is waited for on the way to it. */
  #abort = new AbortController();
  /** Of the present connection. */
  #lines: Lines | undefined;
  /** Lines of this connection that brought nothing else than that it lives. */
  #heartbeats = 0;
  readonly #batches: AsyncIterator<EventBatch, undefined> = this.#read();
  #state: StreamState = { name: 'connecting' };

  /** Use `streamEvents`. @throws TypeError for an URL or option that cannot be meant */
  constructor(url: string | URL, options: StreamOptions, features: StreamFeatures) {
    const settings = settingsOf(options, features, this);
    this.#settings = settings;
    this.#url = requestUrl(url, settings);
    this.#position = settings.positionAt(options);
    this.#retries = new Retries(settings);
    this.#wait = new Wait(settings.clock, deadAfterMs(settings));
    const { signal } = options;
    this.#stopListening = signal && settings.onAbort(signal, () => this.close());
    if (signal?.aborted) this.close();
  }

  /** What the connection is doing now. */
  get state(): StreamState {
    return this.#state;
  }

  /** What it asks for: the URL with its filters, without its position. */
  get request(): string {
    return this.#url.href;
  }

  /**
   * Where to go on after a restart of the reader: keep it whole, and spread it into the options of the next
   * `streamEvents`. It moves when a batch is handed over, so keep it when that batch is done with, or lose nothing and
   * repeat one by keeping it before. With a server that names no epoch, as Nomad's, an `index` that is kept without its
   * `seen` repeats the batches of that index.
   */
  get position(): Position {
    return this.#position.kept;
  }

  /**
   * Calls may overlap; they are answered in order.
   * @throws StreamError when the stream has ended for a reason that cannot heal
   */
  next(): Promise<IteratorResult<Batch, undefined>> {
    return this.#batches.next() as Promise<IteratorResult<Batch, undefined>>;
  }

  /** Ends the stream; called by leaving the loop. */
  async return(): Promise<IteratorResult<Batch, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** `await using` closes the stream. Where the runtime has no such symbol, nobody calls this. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /**
   * Gives up the connection, or the wait for the next one, and asks at once, from the position. For what the client
   * cannot see: somebody has signed in again, or the machine has another network. Nothing is lost or repeated by it.
   */
  reconnect(): void {
    this.#disconnect();
    this.#wait.skip();
    this.#enter({ name: 'connecting' });
  }

  /**
   * Ends the stream and frees its connection. A pending `next()` resolves as done. May be called again, and from
   * anywhere.
   */
  close(): void {
    this.#wait.end();
    this.#abort.abort();
    this.#enter({ name: 'closed' });
  }

  get #isOpen(): boolean {
    return this.#state.name !== 'closed';
  }

  #disconnect(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#lines = undefined;
    this.#heartbeats = 0;
    this.#wait.limitMs = deadAfterMs(this.#settings);
  }

  async *#read(): AsyncGenerator<EventBatch, undefined> {
    // Who opens a stream and closes it in one go, as StrictMode of React does, has asked the server nothing.
    await Promise.resolve();
    try {
      while (this.#isOpen) {
        const batch = await this.#step();
        if (batch) yield batch;
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * One line, and what has to be done before it can be read. What breaks after the reader has closed the stream, or
   * asked for another connection, is no failure.
   */
  async #step(): Promise<EventBatch | undefined> {
    const { signal } = this.#abort;
    try {
      if (this.#state.name === 'waiting') {
        await this.#wait.sleep(this.#state.delayMs);
        this.#enter({ name: 'connecting' });
        return undefined;
      }
      const { prepare } = this.#settings;
      if (prepare) return this.#begin(await this.#wait.for(prepare), signal);
      const lines = this.#lines ?? (await this.#connect(signal));
      const { value } = await lines.next();
      return this.#take(parseLine(value, this.#settings.parse));
    } catch (reason) {
      if (signal.aborted) return undefined;
      const isHeard = this.#state.name === 'live';
      this.#disconnect();
      this.#enter(
        this.#retries.canHelp(reason)
          ? { name: 'waiting', delayMs: this.#retries.delayMsAfter(reason, isHeard), reason }
          : { name: 'closed', reason },
      );
      // Also where the reader closes the stream when it is told.
      if (!this.#isOpen) throw reason;
      return undefined;
    }
  }

  /** Goes on behind what had to be had before the server is asked. */
  #begin(give: () => Prepared, { aborted }: AbortSignal): EventBatch | undefined {
    // An answer that comes too late must not count.
    if (aborted) return undefined;
    const { position, batch } = give();
    this.#position = this.#settings.positionAt(position);
    return batch;
  }

  async #connect(signal: AbortSignal): Promise<Lines> {
    const { token } = this.#settings;
    const text =
      typeof token === 'function' ? await this.#wait.for(token, 'token_failed', 'No token could be had.') : token;
    const request = requestAt(this.#position.next, this.#url, text, this.#settings);
    const { epoch, lines } = await connect(request, signal, this.#settings, this.#wait);
    this.#position.opened(epoch);
    if (!signal.aborted) this.#lines = lines;
    return lines;
  }

  #take(line: Line): EventBatch | undefined {
    this.#retries.heard();
    this.#enter({ name: 'live' });
    // A callback may close the stream; what is not handed over must not move the position.
    if (!this.#isOpen) return undefined;
    const { gap, index, batch, heartbeatMs } = line;
    // Not of a connection that a callback has given up: the next one may say nothing.
    if (this.#lines && heartbeatMs !== undefined) this.#wait.limitMs = deadAfterMs(this.#settings, heartbeatMs);
    const news = this.#position.take(line, (missing) => this.#tell(missing));
    // A connection that brings something, or lives for more than one heartbeat, was worth it.
    if (news || (!gap && !batch && index === undefined && this.#heartbeats++)) this.#retries.reset();
    return typeof news === 'object' ? news : undefined;
  }

  /** True when the reader was told; else the next batch has to. */
  #tell(gap: Gap): boolean {
    const { onGap } = this.#settings;
    if (onGap === 'fail') {
      const message = `Events from ${gap.from} to ${gap.to} may be missing (${gap.reason}).`;
      throw new StreamError('gap', message, 'resubscribe', { gap });
    }
    if (typeof onGap !== 'function') return false;
    onGap(gap);
    return true;
  }

  #enter(state: StreamState): void {
    if (!this.#isOpen || this.#state.name === state.name) return;
    this.#state = state;
    if (!this.#isOpen) this.#stopListening?.();
    this.#settings.onState?.(state);
  }
}
