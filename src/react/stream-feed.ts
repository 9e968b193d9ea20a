import {
  type EventBatch,
  type EventStream,
  type Gap,
  type Position,
  type StreamOptions,
  type StreamState,
  streamEvents,
} from '../client/index.ts';

/** What a hook keeps of what its stream hands over. */
export interface Collection<Batch, Value> {
  take(batch: Batch): void;
  /** For the component: another object whenever its content is another. */
  value(): Value;
}

/** What a component sees of a feed; another object after each change, and the same one until then. */
export interface FeedSnapshot<Value> {
  readonly value: Value;
  readonly status: StreamState['name'];
  readonly error: unknown;
  readonly gap: Gap | undefined;
}

export interface FeedOptions<Batch> {
  /** What the stream is opened with: asked when it is opened. */
  readonly stream: StreamOptions;
  /** Called with each batch, once and in order. */
  readonly onBatch?: ((batch: Batch) => void) | undefined;
}

/**
 * One stream as a store, for `useSyncExternalStore`. It is open while it is watched; who watches it again goes on where
 * the stream was. So the second mount of React's StrictMode, or a hidden `<Activity>` that is shown again, loses
 * nothing and gets nothing twice. Nothing happens before it is watched, which on a server it never is.
 *
 * The component is told once per turn of the event loop, however many batches came in it: a backlog of thousands is not
 * as many renders. Held here is the collection alone, and no batch waits.
 */
export class StreamFeed<Batch extends EventBatch, Value> {
  /** Set with each render: the functions of the newest are called. */
  options: FeedOptions<Batch>;
  readonly #url: string | URL;
  readonly #collection: Collection<Batch, Value>;
  #stream: EventStream<Batch> | undefined;
  /** Something came, be it a heartbeat: from here on the options say no more where to begin. */
  #hasBegun = false;
  /** Where to go on; undefined before it has begun. */
  #position: Position | undefined;
  #status: StreamState['name'] = 'connecting';
  #error: unknown;
  #gap: Gap | undefined;
  #snapshot: FeedSnapshot<Value>;
  #listener: (() => void) | undefined;
  #isChanged = false;

  constructor(url: string | URL, options: FeedOptions<Batch>, collection: Collection<Batch, Value>) {
    this.#url = url;
    this.options = options;
    this.#collection = collection;
    this.#snapshot = this.#newSnapshot();
  }

  readonly snapshot = (): FeedSnapshot<Value> => this.#snapshot;

  /**
   * Opens the stream, until the function that is returned is called.
   * @throws TypeError for an URL or option that cannot be meant
   */
  readonly watch = (listener: () => void): (() => void) => {
    this.#listener = listener;
    this.#open();
    return () => {
      this.#listener = undefined;
      this.#close();
    };
  };

  #open(): void {
    const stream = streamEvents(this.#url, {
      ...this.options.stream,
      ...(this.#position && {
        epoch: undefined,
        seen: undefined,
        appended: undefined,
        mark: undefined,
        ...this.#position,
      }),
      onState: (state) => this.#takeState(stream, state),
    }) as EventStream<Batch>;
    this.#stream = stream;
    this.#status = 'connecting';
    this.#error = undefined;
    this.#changed();
    // Asks for the first batch in a microtask: a stream that is closed before, as StrictMode does, asks no server.
    void this.#read(stream);
  }

  #close(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (!stream) return;
    if (this.#hasBegun) this.#position = stream.position;
    stream.close();
  }

  /**
   * What the stream has handed over is taken, even where it was closed on the way here: its position counts it as read.
   */
  async #read(stream: EventStream<Batch>): Promise<void> {
    try {
      for await (const batch of stream) this.#take(batch);
    } catch (error) {
      this.#takeState(stream, { name: 'closed', reason: error });
    }
  }

  #take(batch: Batch): void {
    this.#hasBegun = true;
    if (batch.gap) this.#gap = batch.gap;
    this.#collection.take(batch);
    this.#changed();
    this.options.onBatch?.(batch);
  }

  #takeState(stream: EventStream<Batch>, state: StreamState): void {
    if (stream !== this.#stream) return;
    this.#status = state.name;
    if (state.name === 'live') {
      this.#hasBegun = true;
      this.#error = undefined;
    }
    if (state.name === 'waiting' || state.name === 'closed') this.#error = state.reason;
    this.#changed();
  }

  #changed(): void {
    if (this.#isChanged) return;
    this.#isChanged = true;
    setTimeout(() => {
      this.#isChanged = false;
      this.#snapshot = this.#newSnapshot();
      this.#listener?.();
    }, 0);
  }

  #newSnapshot(): FeedSnapshot<Value> {
    return { value: this.#collection.value(), status: this.#status, error: this.#error, gap: this.#gap };
  }
}
