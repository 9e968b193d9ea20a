import type { EventBatch, SubscribeOptions, Subscription } from 'fenceline';
import { ndjsonFormat } from '../../src/adapters/ndjson.ts';
import { streamEvents, StreamError, type Position } from '../../src/client/index.ts';
import { readState } from '../../src/client/state-position.ts';
import { parseLine } from '../../src/client/wire.ts';
import type { StreamClock } from '../../src/client/wait.ts';
import { BrokerError } from '../../src/model/errors.ts';
import { joinGaps, type Gap } from '../../src/model/gap.ts';
import type { ModelRequest } from './state-model.ts';

/** Where a reader goes on. */
export type Place = Pick<SubscribeOptions, 'index' | 'epoch' | 'mark'>;

/** What readers are opened at. */
export interface ReaderHost {
  /** Undefined where nothing is allowed. */
  subscribe(request: ModelRequest, place: Place): Promise<Subscription | undefined>;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: StreamClock | undefined;
}

/** How a reader reads; what it is handed goes to `take`. */
export interface StateReader {
  read(count: number): void;
  block(): void;
  /** Its connection breaks after so many bytes more. */
  cut(bytes: number): void;
  close(): void;
  readonly place: Place;
  /** Why it ended; undefined while it is open. */
  readonly error: string | undefined;
  /** It connects again by itself. */
  readonly isLasting: boolean;
}

export interface ReaderWish {
  readonly request: ModelRequest;
  readonly place: Place;
  readonly isBlocked: boolean;
  take(batch: EventBatch): void;
}

export type OpenReader = (host: ReaderHost, wish: ReaderWish) => Promise<StateReader | undefined>;

const placeOf = ({ position, epoch, mark }: Subscription): Place => ({
  index: position + 1,
  epoch,
  ...(mark !== undefined && { mark }),
});

export const polling: OpenReader = async (host, { request, place, take }) => {
  const subscription = await host.subscribe(request, place);
  return subscription && new PollingReader(subscription, take);
};

class PollingReader implements StateReader {
  readonly isLasting = false;
  error: string | undefined;
  readonly #subscription: Subscription;
  readonly #take: (batch: EventBatch) => void;

  constructor(subscription: Subscription, take: (batch: EventBatch) => void) {
    this.#subscription = subscription;
    this.#take = take;
  }

  get place(): Place {
    return placeOf(this.#subscription);
  }

  read(count: number): void {
    for (let i = 0; i < count; i++) {
      const batch = this.#poll();
      if (batch === undefined) return;
      this.#take(batch);
    }
  }

  block(): void {}

  cut(): void {}

  close(): void {
    this.#subscription.close();
  }

  #poll(): EventBatch | undefined {
    try {
      return this.#subscription.poll();
    } catch (thrown) {
      if (!BrokerError.is(thrown)) throw thrown;
      this.error = thrown.code;
      return undefined;
    }
  }
}

/** A transport, which takes one chunk and no more while it is blocked. */
export const sinking: OpenReader = async (host, { request, place, isBlocked, take }) => {
  const subscription = await host.subscribe(request, place);
  return subscription && new SinkReader(subscription, take, isBlocked);
};

class SinkReader implements StateReader {
  readonly isLasting = false;
  error: string | undefined;
  readonly #subscription: Subscription;
  readonly #take: (batch: EventBatch) => void;
  #isBlocked: boolean;
  #gap: Gap | undefined;

  constructor(subscription: Subscription, take: (batch: EventBatch) => void, isBlocked: boolean) {
    this.#subscription = subscription;
    this.#take = take;
    this.#isBlocked = isBlocked;
    const sink = {
      write: (bytes: Uint8Array): boolean => (this.#takeBytes(bytes), !this.#isBlocked),
      end: (last: Uint8Array | undefined) => last && this.#takeBytes(last),
    };
    subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
  }

  get place(): Place {
    return placeOf(this.#subscription);
  }

  read(): void {
    this.#isBlocked = false;
    this.#subscription.delivery?.drained();
  }

  block(): void {
    this.#isBlocked = true;
  }

  cut(): void {}

  close(): void {
    this.#subscription.close();
  }

  #takeBytes(bytes: Uint8Array): void {
    for (const line of Buffer.from(bytes).toString().split('\n').filter(Boolean)) {
      try {
        this.#takeLine(line);
      } catch (error) {
        if (!StreamError.is(error)) throw error;
        this.error = error.code;
      }
    }
  }

  #takeLine(line: string): void {
    const { wire, gap, batch } = parseLine(line);
    const { current, removed } = readState(wire);
    if (gap) this.#gap = joinGaps(this.#gap, gap);
    if (current !== undefined) this.#hand({ index: current, events: [], current: true });
    if (batch) this.#hand({ ...batch, ...(removed && { removed }) });
  }

  #hand(batch: EventBatch): void {
    const gap = this.#gap;
    this.#gap = undefined;
    this.#take(gap === undefined ? batch : { ...batch, gap });
  }
}

/** The client, over connections that are cut at any byte. */
export const streaming: OpenReader = async (host, wish) => new ClientReader(host, wish);

class ClientReader implements StateReader {
  readonly isLasting = true;
  error: string | undefined;
  readonly #stream;
  readonly #take: (batch: EventBatch) => void;
  #wanted = 0;
  #isReading = false;
  /** How many bytes may still come on this connection. */
  #left = Infinity;
  #cutNow: (() => void) | undefined;

  constructor(host: ReaderHost, { request, place, take }: ReaderWish) {
    this.#take = take;
    this.#stream = streamEvents('http://host/v1/event/stream', {
      topics: request.topics,
      namespace: request.namespaces,
      state: true,
      ...(place as Position),
      fetch: (input, init) => this.#fetch(host, input, init),
      random: () => 0,
      ...(host.clock && { clock: host.clock }),
    });
  }

  get place(): Place {
    return this.#stream.position;
  }

  read(count: number): void {
    this.#wanted += count;
    if (!this.#isReading) void this.#read();
  }

  block(): void {
    this.#wanted = 0;
  }

  cut(bytes: number): void {
    this.#left = bytes;
    if (bytes === 0) this.#cutNow?.();
  }

  close(): void {
    this.#stream.close();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#wanted-- > 0) {
        const { value, done } = await this.#stream.next();
        if (done) break;
        this.#take(value);
      }
    } catch (thrown) {
      this.error = StreamError.is(thrown) ? thrown.code : String((thrown as Error).stack);
    }
    this.#wanted = Math.max(0, this.#wanted);
    this.#isReading = false;
  }

  async #fetch(host: ReaderHost, input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
    const response = await host.fetch(input, init);
    const { body } = response;
    if (body === null || response.status !== 200) return response;
    const reader = body.getReader();
    const cutting = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#cutNow = () => {
          controller.error(new Error('cut'));
          reader.cancel().catch(() => undefined);
        };
      },
      pull: async (controller) => {
        const { value, done } = await reader.read();
        if (done) return controller.close();
        const part = value.subarray(0, this.#left);
        this.#left -= part.length;
        controller.enqueue(part);
        if (this.#left > 0) return;
        this.#left = Infinity;
        this.#cutNow?.();
      },
      cancel: (reason) => reader.cancel(reason),
    });
    return new Response(cutting, response);
  }
}
