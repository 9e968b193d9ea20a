import type { Event, EventBatch } from '../model/event.ts';
import { isRestart, joinGaps, type Gap } from '../model/gap.ts';

/** A place in a stream. Spread it into the options of `streamEvents` to go on from there. */
export interface Position {
  /** The next index to ask for: one more than the last that is done with. */
  readonly index: number | 'latest';
  /** Name of the run of indexes that `index` belongs to; absent with a server that names none. */
  readonly epoch?: string;
}

/**
 * Where a reader is, and what it has not been told yet. Takes what the server says in its order; makes of it batches in
 * strictly rising index, each once, with the gaps before them.
 */
export class ReadPosition {
  #index: number | 'latest';
  #epoch: string | undefined;
  /** Epoch of the connection. It counts only once the server has said what it means for this reader. */
  #serverEpoch: string | undefined;
  /** The next index may be lower than those before. */
  #isRenumbered = false;
  #gap: Gap | undefined;
  /** Where the reader was before {@link #gap}: a reader that starts anew from here learns of the gap again. */
  #beforeGap: Position | undefined;

  constructor(index: number | 'latest', epoch: string | undefined) {
    this.#index = index;
    this.#epoch = epoch;
  }

  /** What to ask the server for. */
  get next(): Position {
    return this.#epoch === undefined ? { index: this.#index } : { index: this.#index, epoch: this.#epoch };
  }

  /** What to keep: nothing before it is missing untold, and nothing from it on was handed over. */
  get kept(): Position {
    return this.#beforeGap ?? this.next;
  }

  /** A connection is open. An index without an epoch was read in the server's. */
  opened(epoch: string | undefined): void {
    this.#epoch ??= epoch;
    this.#serverEpoch = epoch ?? this.#epoch;
    this.#isRenumbered = false;
  }

  /** The batch to hand over; undefined for a repeated one, as Nomad sends on resume. */
  batch(index: number, events: readonly Event[]): EventBatch | undefined {
    if (!this.#advance(index)) return undefined;
    const gap = this.#gap;
    this.#gap = this.#beforeGap = undefined;
    return gap ? { index, events, gap } : { index, events };
  }

  /**
   * Everything up to `index` has passed. True when that is news; not where a gap has to be told first, as in another
   * epoch.
   */
  bookmark(index: number): boolean {
    const isClear = this.#isRenumbered || this.#epoch === this.#serverEpoch || !this.#index || this.#index === 'latest';
    return isClear && this.#advance(index);
  }

  /**
   * Events are missing. After `restarted` and `ahead`, lower indexes are new batches. Until the first of them is here,
   * a new connection asks from the old place (`ahead`: at most from the first that is given again), and the server
   * tells anew what is missing.
   * @param isTold the reader was told already: the next batch need not say it
   */
  gap(gap: Gap, isTold: boolean): void {
    if (!isTold) this.#hold(gap);
    if (!isRestart(gap)) {
      this.#advance(gap.to);
      return;
    }
    this.#isRenumbered = true;
    this.#serverEpoch = gap.epoch ?? this.#serverEpoch;
    if (gap.reason === 'ahead' && this.#index !== 'latest') this.#index = Math.min(this.#index, gap.from);
  }

  #hold(gap: Gap): void {
    this.#beforeGap ??= this.next;
    this.#gap = joinGaps(this.#gap, gap);
  }

  #advance(index: number): boolean {
    const isNew =
      this.#isRenumbered || this.#epoch !== this.#serverEpoch || this.#index === 'latest' || index >= this.#index;
    if (!isNew) return false;
    this.#isRenumbered = false;
    this.#epoch = this.#serverEpoch;
    this.#index = index + 1;
    return true;
  }
}
