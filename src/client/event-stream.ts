import type { EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import { Connection } from './connection.ts';
import { type Input, type Phase, type StreamState, transitions } from './connection-state.ts';
import { type Position, ReadPosition } from './read-position.ts';
import { Retries } from './retries.ts';
import { StreamError } from './stream-error.ts';
import type { StreamOptions } from './stream-options.ts';
import { StreamRequest } from './stream-request.ts';
import { settingsOf, type StreamSettings } from './stream-settings.ts';
import { Wait } from './wait.ts';
import { parseLine, type WireValue } from './wire.ts';

/**
 * A stream that outlives its connections. It connects when the first batch is asked for, and reads from the network
 * only while one is asked for: what the reader leaves waits at the server. Held here: one chunk of bytes and one
 * unfinished line.
 */
export class EventStream<Batch extends EventBatch = EventBatch> implements AsyncIterableIterator<Batch> {
  readonly #settings: StreamSettings;
  readonly #request: StreamRequest;
  readonly #position: ReadPosition;
  readonly #retries: Retries;
  readonly #wait: Wait;
  readonly #onAbort = () => this.close();
  #connection: Connection | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** Of this connection. */
  #heartbeats = 0;
  #phase: Phase = 'connecting';
  #state: StreamState = { name: 'connecting' };

  /** Use `streamEvents`. @throws TypeError for an URL or option that cannot be meant */
  constructor(url: string | URL, options: StreamOptions) {
    const settings = settingsOf(options);
    this.#settings = settings;
    this.#request = new StreamRequest(url, settings);
    this.#retries = new Retries(settings);
    this.#position = new ReadPosition(options.index ?? 0, options.epoch);
    this.#wait = new Wait(settings.clock);
    options.signal?.addEventListener('abort', this.#onAbort);
    if (options.signal?.aborted) this.close();
  }

  /** What the connection is doing now. */
  get state(): StreamState {
    return this.#state;
  }

  /**
   * Where to go on after a restart of the reader: keep it, and spread it into the options of the next `streamEvents`.
   * It moves when a batch is handed over, so keep it when that batch is done with, or lose nothing and repeat one by
   * keeping it before.
   */
  get position(): Position {
    return this.#position.kept;
  }

  /**
   * Calls may overlap; they are answered in order.
   * @throws StreamError when the stream has ended for a reason that cannot heal
   */
  next(): Promise<IteratorResult<Batch, undefined>> {
    const read = () => this.#read() as Promise<IteratorResult<Batch, undefined>>;
    return (this.#last = this.#last.then(read, read));
  }

  /** Ends the stream; called by leaving the loop. */
  async return(): Promise<IteratorResult<Batch, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
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

  async #read(): Promise<IteratorResult<EventBatch, undefined>> {
    try {
      while (this.#isOpen) {
        const value = await this.#step();
        if (value) return { done: false, value };
      }
      return { done: true, value: undefined };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * One line, and what has to be done before it can be read. What breaks after the reader has closed the stream is no
   * failure.
   */
  async #step(): Promise<EventBatch | undefined> {
    try {
      const connection = this.#connection ?? (await this.#connect());
      return this.#take(parseLine(await connection.line()));
    } catch (error) {
      this.#connection?.close();
      this.#connection = undefined;
      if (this.#isOpen) this.#recover(error);
      return undefined;
    }
  }

  async #connect(): Promise<Connection> {
    if (this.#state.name === 'waiting') {
      await this.#wait.sleep(this.#state.delayMs);
      this.#enter('due');
    }
    const token = await this.#token();
    const headers = this.#request.headers(token);
    const connection = (this.#connection = new Connection(this.#settings, this.#wait));
    this.#position.opened(await connection.open(this.#request.url(this.#position.next), headers, !!token));
    this.#heartbeats = 0;
    this.#enter('opened');
    return connection;
  }

  async #token(): Promise<string | undefined> {
    const { token } = this.#settings;
    if (typeof token !== 'function') return token;
    try {
      return await this.#wait.for((async () => token())(), this.#settings.deadAfterMs);
    } catch (cause) {
      if (StreamError.is(cause)) throw cause;
      throw new StreamError('token_failed', 'No token could be had.', 'resume', { cause });
    }
  }

  #take(value: WireValue): EventBatch | undefined {
    switch (value.kind) {
      case 'batch':
        return this.#progress(this.#position.batch(value.index, value.events));
      case 'bookmark':
        this.#progress(this.#position.bookmark(value.index));
        return undefined;
      case 'gap':
        this.#tellGap(value.gap);
        return undefined;
      case 'heartbeat':
        this.#progress(this.#heartbeats++);
        return undefined;
      case 'error':
        throw value.error;
    }
  }

  /** A connection that brings something, or lives for more than one heartbeat, was worth it. */
  #progress<T>(news: T): T {
    if (news) this.#retries.reset();
    return news;
  }

  #tellGap(gap: Gap): void {
    const { onGap } = this.#settings;
    if (onGap === 'fail') {
      const message = `Events from ${gap.from} to ${gap.to} may be missing (${gap.reason}).`;
      throw new StreamError('gap', message, 'resubscribe', { gap });
    }
    if (typeof onGap === 'function') onGap(gap);
    this.#position.gap(gap, typeof onGap === 'function');
  }

  /** @throws `error` when it cannot heal */
  #recover(error: unknown): void {
    this.#enter(StreamError.is(error) ? this.#retries.inputAfter(error) : 'close', error);
    if (!this.#isOpen) throw error;
  }

  #enter(input: Input, reason?: unknown): void {
    const phase = transitions[this.#phase][input];
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#state = this.#stateIn(phase, reason);
    if (phase === 'closed') this.#settings.signal?.removeEventListener('abort', this.#onAbort);
    this.#settings.onState?.(this.#state);
  }

  #stateIn(phase: Phase, reason: unknown): StreamState {
    if (phase === 'closed') return reason === undefined ? { name: 'closed' } : { name: 'closed', reason };
    if (phase === 'live') return { name: 'live' };
    if (!StreamError.is(reason)) return { name: 'connecting' };
    return { name: 'waiting', delayMs: this.#retries.delayMsAfter(reason), reason };
  }
}
