/// <reference lib="esnext.disposable" preserve="true" />
import type { Event, EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import { Connection } from './connection.ts';
import { type Input, type Phase, phaseAfter, type StreamState } from './connection-state.ts';
import { type Place, type Position, ReadPosition } from './read-position.ts';
import { Retries } from './retries.ts';
import { StreamError } from './stream-error.ts';
import type { StreamFeatures } from './stream-features.ts';
import type { StreamOptions } from './stream-options.ts';
import { type OnAbort, partsOf, type Snapshots } from './stream-parts.ts';
import { StreamRequest } from './stream-request.ts';
import { settingsOf, type StreamSettings } from './stream-settings.ts';
import { Wait } from './wait.ts';
import { type Line, parseLine } from './wire.ts';

/**
 * A stream that outlives its connections. It connects when the first batch is asked for, and reads from the network
 * only while one is asked for: what the reader leaves waits at the server. Held here: one chunk of bytes and one
 * unfinished line.
 */
export class EventStream<Batch extends EventBatch = EventBatch> implements AsyncIterableIterator<Batch> {
  readonly #settings: StreamSettings;
  readonly #request: StreamRequest;
  #position: ReadPosition;
  readonly #snapshots: Snapshots | undefined;
  readonly #retries: Retries;
  readonly #wait: Wait;
  readonly #stopListening: (() => void) | undefined;
  /** How often the stream was told to ask again: what was waited for before counts no more. */
  #reconnects = 0;
  #connection: Connection | undefined;
  readonly #batches: AsyncIterator<EventBatch, undefined> = this.#read();
  /** Lines of this connection that brought nothing else than that it lives. */
  #heartbeats = 0;
  #phase: Phase = 'connecting';
  #state: StreamState = { name: 'connecting' };

  /** Use `streamEvents`. @throws TypeError for an URL or option that cannot be meant */
  constructor(url: string | URL, options: StreamOptions, features: StreamFeatures) {
    const parts = partsOf(features);
    const settings = settingsOf(options, parts);
    this.#settings = settings;
    this.#request = new StreamRequest(url, settings);
    this.#retries = new Retries(settings);
    this.#position = this.#positionAt(options);
    this.#snapshots = options.snapshot && parts.snapshots?.open(options.snapshot, options.index === undefined);
    this.#wait = new Wait(settings.clock, (limitMs) => parts.wakeUps?.watch(this, settings.clock, limitMs));
    this.#stopListening = options.signal && (parts.signals?.onAbort ?? onAbort)(options.signal, () => this.close());
    if (options.signal?.aborted) this.close();
  }

  /** What the connection is doing now. */
  get state(): StreamState {
    return this.#state;
  }

  /** What it asks for: the URL with its filters, without its position. */
  get request(): string {
    return this.#request.text;
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
    this.#reconnects++;
    this.#disconnect();
    this.#wait.skip();
    this.#enter('due');
  }

  #positionAt(place: Place): ReadPosition {
    const { state, parts } = this.#settings;
    return (state ? parts.state : parts.nomad)?.position(place, this.#request.query) ?? new ReadPosition(place);
  }

  #disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /**
   * Ends the stream and frees its connection. A pending `next()` resolves as done. May be called again, and from
   * anywhere.
   */
  close(): void {
    this.#wait.end();
    this.#connection?.close();
    this.#enter('close');
  }

  get #isOpen(): boolean {
    return this.#phase !== 'closed';
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
    return undefined;
  }

  /**
   * One line, and what has to be done before it can be read. What breaks after the reader has closed the stream, or
   * asked for another connection, is no failure.
   */
  async #step(): Promise<EventBatch | undefined> {
    const reconnects = this.#reconnects;
    try {
      if (this.#state.name === 'waiting') {
        await this.#wait.sleep(this.#state.delayMs);
        this.#enter('due');
      }
      if (this.#snapshots?.isDue) return await this.#takeSnapshot(this.#snapshots);
      const connection = this.#connection ?? (await this.#connect());
      return this.#take(parseLine(await connection.line(), this.#settings.parse, this.#settings.parts.state?.read));
    } catch (error) {
      if (reconnects !== this.#reconnects) return undefined;
      const reason = this.#reasonFor(error);
      this.#disconnect();
      if (!this.#isOpen) return undefined;
      this.#enter(StreamError.is(reason) ? this.#retries.inputAfter(reason) : 'close', reason);
      if (!this.#isOpen) throw reason;
      return undefined;
    }
  }

  /** What the end of a connection means. */
  #reasonFor(error: unknown): unknown {
    const connection = this.#connection;
    if (!connection) return error;
    const { nomad, serverSentEvents } = this.#settings.parts;
    const reason = serverSentEvents?.after(error, connection, this.#request);
    return reason ?? nomad?.after(error, connection, this.#position) ?? error;
  }

  /** The host's own state: the stream goes on behind it. */
  async #takeSnapshot(snapshots: Snapshots): Promise<EventBatch | undefined> {
    const { position, batch } = await this.#wait.for(() => snapshots.take(), this.#settings.deadAfterMs());
    if (!this.#isOpen) return undefined;
    snapshots.taken();
    this.#position = this.#positionAt(position);
    return batch;
  }

  async #connect(): Promise<Connection> {
    const { token, deadAfterMs } = this.#settings;
    this.#heartbeats = 0;
    const text =
      typeof token === 'function'
        ? await this.#wait.for(token, deadAfterMs(), 'token_failed', 'No token could be had.')
        : token;
    const headers = this.#request.headers(text);
    const connection = (this.#connection = new Connection(this.#settings, this.#wait));
    this.#position.opened(await connection.open(this.#request.url(this.#position.next), headers, !!text));
    return connection;
  }

  #take(line: Line): EventBatch | undefined {
    this.#enter('opened');
    // A callback may close the stream; what is not handed over must not move the position.
    if (!this.#isOpen) return undefined;
    const { gap, index, events, heartbeatMs } = line;
    if (gap) this.#position.gap(gap, this.#tell(gap));
    else if (index !== undefined && events) return this.#takeBatch(index, events, line);
    else {
      if (heartbeatMs !== undefined) this.#connection?.beatsEvery(heartbeatMs);
      const news = this.#position.heartbeat(line);
      this.#progress(news || (index === undefined && this.#heartbeats++));
      if (typeof news === 'object') return news;
    }
    return undefined;
  }

  #takeBatch(index: number, events: readonly Event[], { appended, removed }: Line): EventBatch | undefined {
    const gap = this.#position.untold?.(index, events);
    if (gap && !this.#tell(gap)) this.#position.hold(gap);
    if (!this.#isOpen) return undefined;
    return this.#progress(this.#position.batch(index, events, appended, removed));
  }

  /** A connection that brings something, or lives for more than one heartbeat, was worth it. */
  #progress<T>(news: T): T {
    if (news) this.#retries.reset();
    return news;
  }

  /** True when the reader was told; else the next batch has to. */
  #tell(gap: Gap): boolean {
    const { onGap } = this.#settings;
    if (onGap === 'fail') {
      const message = `Events from ${gap.from} to ${gap.to} may be missing (${gap.reason}).`;
      throw new StreamError('gap', message, 'resubscribe', { gap });
    }
    if (typeof onGap === 'function') onGap(gap);
    if (this.#snapshots) throw this.#snapshots.askAgain(gap);
    return typeof onGap === 'function';
  }

  #enter(input: Input, reason?: unknown): void {
    const before = this.#phase;
    const phase = phaseAfter(before, input);
    if (phase === before) return;
    this.#phase = phase;
    if (phase === 'closed') this.#state = { name: phase, ...(reason !== undefined && { reason }) };
    else if (phase === 'live') this.#state = { name: phase };
    else if (!StreamError.is(reason)) this.#state = { name: 'connecting' };
    else this.#state = { name: 'waiting', delayMs: this.#retries.delayMsAfter(reason, before === 'live'), reason };
    if (phase === 'closed') this.#stopListening?.();
    this.#settings.onState?.(this.#state);
  }
}

const onAbort: OnAbort = (signal, call) => {
  signal.addEventListener('abort', call);
  return () => signal.removeEventListener('abort', call);
};
