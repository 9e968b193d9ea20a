import type { EncodedBatch } from '../batch/encoded-batch.ts';
import { BrokerError } from '../../model/errors.ts';

/** Batches older than the buffer, where a log holds them. */
export interface History {
  /** Batches `from` … `to`, in chunks of bounded size. @throws BrokerError `gap` when some of them are gone */
  read(from: number, to: number): AsyncIterable<readonly EncodedBatch[]>;
  /** What can be read. */
  state(): Promise<{ readonly first: number }>;
}

/** What came of asking for the next chunk; `trimmed`: some of the stretch is gone, and the log begins at `first`. */
export type Fetched = 'more' | 'over' | { readonly kind: 'trimmed'; readonly first: number };

/** One way through a stretch of the log, a bounded chunk at a time. Thrown away when its reader goes on elsewhere. */
export class HistoryReading {
  /** Last index of the stretch: when the log has no more of it, all up to here is behind. */
  readonly to: number;
  /** What the next chunk begins with. */
  next: number;
  readonly #history: History;
  readonly #batches: AsyncIterator<readonly EncodedBatch[]>;
  #chunk: readonly EncodedBatch[] = [];
  #at = 0;
  #isFetching = false;

  constructor(history: History, from: number, to: number) {
    this.to = to;
    this.next = from;
    this.#history = history;
    this.#batches = history.read(from, to)[Symbol.asyncIterator]();
  }

  get isFetching(): boolean {
    return this.#isFetching;
  }

  /** The next batch of the chunk at hand; undefined when another has to be fetched. */
  get batch(): EncodedBatch | undefined {
    return this.#chunk[this.#at];
  }

  /** Goes past {@link batch}. */
  advance(): void {
    this.#at++;
  }

  /** Fetches the next chunk. @throws what the log throws, but for `gap` */
  async fetch(): Promise<Fetched> {
    this.#isFetching = true;
    try {
      const result = await this.#batches.next();
      if (result.done === true) return 'over';
      this.#chunk = result.value;
      this.#at = 0;
      const last = this.#chunk.at(-1);
      if (last) this.next = last.position + 1;
      return 'more';
    } catch (error) {
      if (!BrokerError.is(error) || error.code !== 'gap') throw error;
      const { first } = await this.#history.state();
      return { kind: 'trimmed', first };
    } finally {
      this.#isFetching = false;
    }
  }

  /** Lets go of the log. */
  stop(): void {
    this.#batches.return?.().then(undefined, () => undefined);
  }
}
