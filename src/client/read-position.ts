import type { EventBatch } from '../model/event.ts';
import { isRestart, joinGaps, type Gap } from '../model/gap.ts';
import { StreamError } from './stream-error.ts';
import type { StreamOptions } from './stream-options.ts';
import type { Line } from './wire.ts';

/** A place in a stream, plain JSON. Spread it into the options of `streamEvents` to go on from there. */
export interface Position {
  /**
   * The next index to ask for: one more than the last that is done with. With a server that names no epoch, as Nomad's,
   * it is the last itself: more batches with that index may come.
   */
  readonly index: number | 'latest';
  /** Name of the run of indexes that `index` belongs to; absent with a server that names none. */
  readonly epoch?: string;
  /**
   * Only with a server that names no epoch: a mark of each batch with this `index` that was handed over. Where they are
   * not kept, the batches with this index are handed over again; nothing is lost.
   */
  readonly seen?: readonly string[];
  /**
   * Only where the host appends batches to an index that has one: how many of those to `index` − 1 were handed over. A
   * server sends all of them again.
   */
  readonly appended?: number;
  /** Only of a state: which one it is, and where the reading of it began. One word of the server's. */
  readonly mark?: string;
}

/** The options that say where a stream begins. */
export type Place = Pick<StreamOptions, 'index' | 'epoch' | 'seen' | 'appended' | 'mark'>;

/**
 * Where a reader is, and what it has not been told yet. Takes what the server says in its order; makes of it batches in
 * rising index, each once, with the gaps before them.
 *
 * A server that names its epoch tells its gaps, and has one batch for an index: a higher index is new, others are
 * repeats. Parts of the client know more: see `StatePosition` and `NamelessPosition`.
 */
export class ReadPosition {
  /** Below 0 for `'latest'`, which is before every index. */
  #index: number;
  #epoch: string | undefined;
  /** Epoch of the connection. It counts only once the server has said what it means for this reader. */
  #serverEpoch: string | undefined;
  /** What was appended to the index before `#index` was handed over up to this number. */
  #appended: number;
  /** The next index may be lower than those before. */
  #isRenumbered = false;
  #gap: Gap | undefined;
  /** Where the reader was before {@link #gap}: a reader that starts anew from here learns of the gap again. */
  #beforeGap: Position | undefined;
  /** This connection's server may be Nomad's: it has named no epoch, and told nothing that only others tell. */
  protected isNameless = true;

  constructor({ index = 0, epoch, appended = 0 }: Place) {
    this.#index = index === 'latest' ? -1 : index;
    this.#epoch = epoch;
    this.#appended = appended;
  }

  /** What to ask the server for. */
  get next(): Position {
    const [index, epoch, appended] = [this.#index, this.#epoch, this.#appended];
    return {
      index: index < 0 ? 'latest' : index,
      ...(epoch !== undefined && { epoch }),
      ...(appended && { appended }),
    };
  }

  /**
   * What to keep: nothing before it is missing untold, and nothing from it on was handed over, but for what is `seen`.
   */
  get kept(): Position {
    return this.#beforeGap ?? this.next;
  }

  /** A connection is open. */
  opened(epoch: string | undefined): void {
    this.#serverEpoch = epoch ?? this.#epoch;
    this.isNameless = epoch === undefined;
    this.#isRenumbered = false;
  }

  /**
   * The server has said this.
   * @param tell tells the reader of a gap; false where it could not, so that the next batch has to
   * @returns the batch to hand over, false for a repeated one; of other lines, whether they are news
   */
  take({ gap, batch, appended, index, epoch }: Line, tell: (gap: Gap) => boolean): EventBatch | boolean {
    if (gap) return this.#skip(gap, tell(gap));
    if (epoch || index !== undefined) this.named(epoch || undefined);
    this.refuseNameless();
    if (batch) return this.advance(batch.index, appended) && this.withGap(batch);
    // Not where a gap has to be told first, as in another epoch.
    return index !== undefined && (this.#isRenumbered || !this.#isForeign || this.#index <= 0) && this.advance(index);
  }

  /**
   * Events are missing, says the server. After `restarted` and `ahead`, lower indexes are new batches. Until the first
   * of them is here, a new connection asks from the old place (`ahead`: at most from the first that is given again),
   * and the server tells anew what is missing.
   */
  #skip(gap: Gap, isTold: boolean): false {
    this.named(gap.epoch);
    if (!isTold) this.hold(gap);
    if (isRestart(gap)) {
      this.#isRenumbered = true;
      if (gap.reason === 'ahead') this.#index = Math.min(this.#index, gap.from);
    } else this.advance(gap.to);
    return false;
  }

  /** The server shows that it knows epochs, and may say which one this is. */
  protected named(epoch = this.#serverEpoch): void {
    this.isNameless = false;
    this.#serverEpoch = epoch;
  }

  /** The next batch has to tell of this gap. */
  protected hold(gap: Gap): void {
    this.#beforeGap ??= this.next;
    this.#gap = joinGaps(this.#gap, gap);
  }

  /** Once a line shows that the server is none that does what is asked. @throws StreamError `not_supported` */
  protected refuseNameless(): void {
    if (this.isNameless) throw nameless('which needs streamEventsWith({ nomad }).');
  }

  /** What is handed over tells of the gap before it. */
  protected withGap(batch: EventBatch): EventBatch {
    const gap = this.#gap;
    this.#gap = this.#beforeGap = undefined;
    return gap ? { ...batch, gap } : batch;
  }

  /**
   * Everything up to `index` has passed: whether that is news. A host that mirrors a source like Nomad appends batches
   * to its newest index, and numbers them: who resumes after that index is sent all that was appended to it again.
   */
  protected advance(index: number, appended = 0): boolean {
    const isAppended = appended > 0 && index + 1 === this.#index;
    const isKnown = isAppended ? appended <= this.#appended : index < this.#index;
    if (isKnown && !this.#isRenumbered && !this.#isForeign) return false;
    // Past the largest index there is none to ask for, and no server takes it: rather the last one again.
    this.moveTo(Math.min(index + 1, Number.MAX_SAFE_INTEGER), this.#serverEpoch, appended);
    return true;
  }

  protected moveTo(index: number, epoch: string | undefined, appended: number): void {
    this.#isRenumbered = false;
    this.#index = index;
    this.#epoch = epoch;
    this.#appended = appended;
  }

  /** An index without an epoch is the server's to judge: it tells a gap where it cannot mean anything there. */
  get #isForeign(): boolean {
    return this.#epoch !== undefined && this.#epoch !== this.#serverEpoch;
  }
}

/** Why a stream of Nomad's, or a server like it, cannot be read. */
export const nameless = (why: string): StreamError =>
  new StreamError('not_supported', `The server names no epoch, so it may be Nomad, ${why}`, 'never');
