import {
  type EventBatch,
  type EventStream,
  type Gap,
  type Position,
  type StreamError,
  type StreamState,
  streamEvents,
} from '../../client/index.ts';
import type { Filters } from './filters.ts';
import { LiveHead } from './live-head.ts';

export type FeedState = 'idle' | 'connecting' | 'live' | 'waiting' | 'paused' | 'ended';

/** Who is told what the feed reads. Calls come in the order of the stream. */
export interface FeedListener {
  /** @param isLive it was published while the page listened; else it waited at the server */
  onBatch(batch: EventBatch, isLive: boolean): void;
  onGap(gap: Gap): void;
  /** Cut off, or ended. Told once per outage and cause. */
  onTrouble(error: unknown): void;
  /** Connected again after trouble. */
  onRecovery(): void;
  onState(state: FeedState): void;
}

/** What to read, and as whom. */
export interface FeedRequest extends Filters {
  readonly token: string;
}

/** After so long without a pause, the page gets its turn to paint and to answer the reader. */
const READ_SLICE_MS = 8;

/**
 * Reads a stream, one at a time. Paused, it reads nothing and holds no connection, only its position; the server keeps
 * what comes meanwhile, and what it cannot keep is told as a gap.
 */
export class Feed {
  readonly #url: string;
  readonly #listener: FeedListener;
  readonly #yieldToPage: () => Promise<void>;
  #request: FeedRequest | undefined;
  #stream: EventStream | undefined;
  #reading: Promise<void> = Promise.resolve();
  #state: FeedState = 'idle';
  /** The trouble that was told last, and is not over. */
  #trouble: string | undefined;
  /** The gap that was told last: a connection cut right after it brings it anew. */
  #gap: string | undefined;

  /** @param yieldToPage resolves when the page had its turn, in a tab in the background too */
  constructor(url: string, listener: FeedListener, yieldToPage: () => Promise<void>) {
    this.#url = url;
    this.#listener = listener;
    this.#yieldToPage = yieldToPage;
  }

  get state(): FeedState {
    return this.#state;
  }

  /** The newest index that has passed; undefined before the first. */
  get index(): number | undefined {
    const next = this.#stream?.position.index;
    return typeof next === 'number' && next > 0 ? next - 1 : undefined;
  }

  /** Begins anew, with what was read before left behind. */
  start(request: FeedRequest): void {
    const before = this.#stream;
    this.#stream = undefined;
    before?.close();
    this.#request = request;
    this.#trouble = this.#gap = undefined;
    this.#open({ index: request.index });
  }

  pause(): void {
    if (this.#state === 'paused' || this.#state === 'ended' || !this.#stream) return;
    this.#enter('paused');
    this.#stream.close();
  }

  /** Goes on where it was paused. Resolves once it has begun to. */
  async resume(): Promise<void> {
    const paused = this.#stream;
    // A batch may be on its way from the stream to here: only then is the position true.
    await this.#reading;
    if (this.#state === 'paused' && paused && paused === this.#stream) this.#open(paused.position);
  }

  #open(position: Position): void {
    this.#enter('connecting');
    const { topics, namespaces, token, isState } = this.#request as FeedRequest;
    const namespace = namespaces.length > 0 ? { namespace: namespaces } : {};
    const head = new LiveHead();
    const stream: EventStream = streamEvents(this.#url, {
      fetch: head.fetch,
      topics,
      ...namespace,
      ...position,
      state: isState,
      token: token || undefined,
      maxDelayMs: 5000,
      onGap: (gap) => {
        head.gap(gap);
        if (this.#isCurrent(stream)) this.#takeGap(gap);
      },
      onState: (state) => this.#isCurrent(stream) && this.#takeState(stream, state),
    });
    this.#stream = stream;
    this.#reading = this.#read(stream, head);
  }

  /**
   * Whatever the stream has handed over is taken, even when it was paused meanwhile: its position counts it as read.
   */
  async #read(stream: EventStream, head: LiveHead): Promise<void> {
    try {
      let sliceEnds = performance.now() + READ_SLICE_MS;
      for await (const batch of stream) {
        if (this.#isCurrent(stream)) this.#takeBatch(batch, head.isLive(batch.index));
        if (performance.now() < sliceEnds) continue;
        await this.#yieldToPage();
        sliceEnds = performance.now() + READ_SLICE_MS;
      }
    } catch (error) {
      if (this.#isCurrent(stream)) this.#end(error);
    }
  }

  #isCurrent(stream: EventStream): boolean {
    return stream === this.#stream;
  }

  #takeBatch(batch: EventBatch, isLive: boolean): void {
    this.#gap = undefined;
    this.#listener.onBatch(batch, isLive);
  }

  #takeGap(gap: Gap): void {
    const told = JSON.stringify(gap);
    if (told !== this.#gap) this.#listener.onGap(gap);
    this.#gap = told;
  }

  #takeState(stream: EventStream, state: StreamState): void {
    if (this.#state === 'paused' || state.name === 'closed') return;
    if (state.name === 'waiting' && isDenial(state.reason)) {
      // This tab has no other token: asking again would hide why the stream ended behind a plain denial. The loop
      // throws the reason.
      stream.close();
      return;
    }
    if (state.name === 'waiting') this.#tellTrouble(state.reason);
    if (state.name === 'live') this.#tellRecovery();
    this.#enter(state.name);
  }

  #tellTrouble(error: StreamError): void {
    if (this.#trouble !== error.code) this.#listener.onTrouble(error);
    this.#trouble = error.code;
  }

  #tellRecovery(): void {
    if (this.#trouble !== undefined) this.#listener.onRecovery();
    this.#trouble = undefined;
  }

  #end(error: unknown): void {
    this.#listener.onTrouble(error);
    this.#enter('ended');
  }

  #enter(state: FeedState): void {
    this.#state = state;
    this.#listener.onState(state);
  }
}

function isDenial({ code, retry }: StreamError): boolean {
  return retry === 'resubscribe' && (code === 'permission_denied' || code.startsWith('acl_'));
}
