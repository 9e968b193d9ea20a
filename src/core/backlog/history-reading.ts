import type { EncodedBatch } from '../batch/encoded-batch.ts';

/** Batches older than the buffer, where a log holds them. */
export interface History {
  /** Batches `from` … `to`, in chunks of bounded size. @throws BrokerError `gap` when some of them are gone */
  read(from: number, to: number): AsyncIterable<readonly EncodedBatch[]>;
  /** What can be read. */
  state(): Promise<{ readonly first: number }>;
}

/** One way through a stretch of the log, a bounded chunk at a time. Thrown away when its reader goes on elsewhere. */
export class HistoryReading {
  /** Last index of the stretch: when the log has no more of it, all up to here is behind. */
  readonly to: number;
  readonly #batches: AsyncIterator<readonly EncodedBatch[]>;
  #chunk: readonly EncodedBatch[] = [];
  #next = 0;
  #isFetching = false;

  constructor(history: History, from: number, to: number) {
    this.to = to;
    this.#batches = history.read(from, to)[Symbol.asyncIterator]();
  }

  get isFetching(): boolean {
    return this.#isFetching;
  }

  /** The next batch of the chunk at hand; undefined when another has to be fetched. */
  get batch(): EncodedBatch | undefined {
    return this.#chunk[this.#next];
  }

  /** Goes past {@link batch}. */
  advance(): void {
    this.#next++;
  }

  /** Fetches the next chunk. @returns false when the stretch is over @throws what the log throws */
  async fetch(): Promise<boolean> {
    this.#isFetching = true;
    try {
      const result = await this.#batches.next();
      this.#chunk = result.done === true ? [] : result.value;
      this.#next = 0;
      return result.done !== true;
    } finally {
      this.#isFetching = false;
    }
  }

  /** Lets go of the log. */
  stop(): void {
    this.#batches.return?.().then(undefined, () => undefined);
  }
}
