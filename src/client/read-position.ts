import type { Event, EventBatch, ObjectKey } from '../model/event.ts';
import { isRestart, joinGaps, type Gap } from '../model/gap.ts';
import type { StreamOptions } from './stream-options.ts';

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

/** What was read of a server that names no epoch, for one that has several batches of one index and tells no gap. */
export interface NamelessReading {
  /** Marks of the batches with the last index that were handed over. */
  readonly seen: readonly string[];
  /** A connection is open. */
  opened(): void;
  /** A server that names its epoch has passed this index: what was marked says nothing more. */
  forget(): void;
  /** What may be missing before this batch. */
  untold(last: number, index: number, events: readonly Event[]): Gap | undefined;
  /** Whether this was handed over on an earlier connection. If not, it counts as handed over from now on. */
  isRepeat(last: number | 'latest', index: number, events: readonly Event[]): boolean;
}

/** The options that say where a stream begins. */
type Place = Pick<StreamOptions, 'index' | 'epoch' | 'appended' | 'mark'>;

/**
 * Where a reader is, and what it has not been told yet. Takes what the server says in its order; makes of it batches in
 * rising index, each once, with the gaps before them.
 *
 * A server that names its epoch tells its gaps, and has one batch for an index: a higher index is new, others are
 * repeats. For one that names none (Nomad's), see {@link NamelessReading}.
 */
export class ReadPosition {
  #index: number | 'latest';
  #epoch: string | undefined;
  /** Epoch of the connection. It counts only once the server has said what it means for this reader. */
  #serverEpoch: string | undefined;
  /** This connection's server has named no epoch yet, and told nothing that only such a server tells. */
  #isNameless = true;
  /** What was appended to the index before `#index` was handed over up to this number. */
  #appended: number;
  /** Where servers that name no epoch can be read. */
  readonly #nameless: NamelessReading | undefined;
  /** The next index may be lower than those before. */
  #isRenumbered = false;
  #gap: Gap | undefined;
  /** Which state it reads, as the server calls it. */
  #mark: string | undefined;
  /** What counts as that once something of the state is here. */
  #nextMark: string | undefined;
  /** The state is complete: that was handed over. */
  #isCurrent = false;
  /** Where the reader was before {@link #gap}: a reader that starts anew from here learns of the gap again. */
  #beforeGap: Position | undefined;

  constructor({ index, epoch, appended, mark }: Place, nameless?: NamelessReading) {
    this.#index = index ?? 0;
    this.#epoch = epoch;
    this.#appended = appended ?? 0;
    this.#mark = mark;
    this.#nameless = nameless;
  }

  /** What to ask the server for. */
  get next(): Position {
    const [epoch, appended, seen, mark] = [this.#epoch, this.#appended, this.#nameless?.seen, this.#mark];
    return {
      index: this.#index,
      ...(epoch !== undefined && { epoch }),
      ...(appended && { appended }),
      ...(seen?.length && { seen }),
      ...(mark !== undefined && { mark }),
    };
  }

  /**
   * What to keep: nothing before it is missing untold, and nothing from it on was handed over, but for what is `seen`.
   */
  get kept(): Position {
    return this.#beforeGap ?? this.next;
  }

  /** Whether this connection's server may be Nomad's: see the class. */
  get isNameless(): boolean {
    return this.#isNameless;
  }

  /** A connection is open. */
  opened(epoch: string | undefined): void {
    this.#serverEpoch = this.#epoch;
    this.#isNameless = true;
    this.#isRenumbered = false;
    this.#nameless?.opened();
    if (epoch !== undefined) this.named(epoch);
  }

  /** The server shows that it knows epochs, and may say which one this is. */
  named(epoch = this.#serverEpoch): void {
    this.#isNameless = false;
    this.#serverEpoch = epoch;
  }

  /** What may be missing before this batch, of a server that tells no gaps. */
  untold(index: number, events: readonly Event[]): Gap | undefined {
    const last = this.#index;
    return this.#isNameless && last && last !== 'latest' ? this.#nameless?.untold(last, index, events) : undefined;
  }

  /**
   * The batch to hand over; undefined for a repeated one.
   * @param appended its number, where it was appended to an index that had a batch already
   */
  batch(index: number, events: readonly Event[], appended = 0, removed?: readonly ObjectKey[]): EventBatch | undefined {
    const isRepeat = this.#isNameless ? this.#isRepeat(index, events) : !this.#advance(index, appended);
    return isRepeat ? undefined : { index, events, ...(removed && { removed }), ...this.#takeGap() };
  }

  /** The state is complete at this index; undefined where that was said before. */
  current(index: number): EventBatch | undefined {
    this.named();
    this.#advance(index);
    if (this.#isCurrent) return undefined;
    this.#isCurrent = true;
    return { index, events: [], current: true, ...this.#takeGap() };
  }

  /** The server says which state it sends: that counts as soon as something of it is here. */
  marked(mark: string): void {
    this.#nextMark = mark;
  }

  #takeGap(): Pick<EventBatch, 'gap'> {
    const gap = this.#gap;
    this.#gap = this.#beforeGap = undefined;
    return gap ? { gap } : {};
  }

  /**
   * Everything up to `index` has passed. True when that is news; not where a gap has to be told first, as in another
   * epoch.
   */
  bookmark(index: number): boolean {
    this.named();
    const isClear = this.#isRenumbered || !this.#isForeign || !this.#index || this.#index === 'latest';
    // Of a state nothing has passed yet: whoever comes back now asks for all of it again.
    const isBefore = index === 0 && this.#nextMark !== undefined;
    return isClear && !isBefore && this.#advance(index);
  }

  /**
   * Events are missing, says the server. After `restarted` and `ahead`, lower indexes are new batches. Until the first
   * of them is here, a new connection asks from the old place (`ahead`: at most from the first that is given again),
   * and the server tells anew what is missing.
   * @param isTold the reader was told already: the next batch need not say it
   */
  gap(gap: Gap, isTold: boolean): void {
    this.named(gap.epoch);
    if (!isTold) this.hold(gap);
    if (!isRestart(gap)) {
      // Of a state, what is retained of these indexes still comes.
      if (!this.#isState) this.#advance(gap.to);
      return;
    }
    this.#isRenumbered = true;
    this.#isCurrent = false;
    if (gap.mark !== undefined) this.#nextMark = gap.mark;
    if (gap.reason === 'ahead' && this.#index !== 'latest') this.#index = Math.min(this.#index, gap.from);
  }

  /** The next batch has to tell of this gap. */
  hold(gap: Gap): void {
    this.#beforeGap ??= this.next;
    this.#gap = joinGaps(this.#gap, gap);
  }

  get #isState(): boolean {
    return this.#mark !== undefined || this.#nextMark !== undefined;
  }

  /** An index without an epoch is the server's to judge: it tells a gap where it cannot mean anything there. */
  get #isForeign(): boolean {
    return this.#epoch !== undefined && this.#epoch !== this.#serverEpoch;
  }

  #advance(index: number, appended = 0): boolean {
    if (appended > 0 && this.#isPassed(index)) return this.#append(appended);
    const isNew = this.#isRenumbered || this.#isForeign || this.#index === 'latest' || index >= this.#index;
    if (!isNew) return false;
    this.#isRenumbered = false;
    this.#mark = this.#nextMark ?? this.#mark;
    this.#nextMark = undefined;
    this.#appended = appended;
    this.#epoch = this.#serverEpoch;
    // Past the largest index there is none to ask for, and no server takes it: rather the last one again.
    this.#index = Math.min(index + 1, Number.MAX_SAFE_INTEGER);
    this.#nameless?.forget();
    return true;
  }

  /** The index before the one that is asked for. */
  #isPassed(index: number): boolean {
    return this.#index !== 'latest' && index === this.#index - 1 && !this.#isRenumbered && !this.#isForeign;
  }

  /**
   * A host that mirrors a source like Nomad appends batches to its newest index, and numbers them. Who resumes after
   * that index is sent all that was appended to it again.
   */
  #append(appended: number): boolean {
    const isNew = appended > this.#appended;
    this.#appended = Math.max(this.#appended, appended);
    return isNew;
  }

  /** Of a server that names no epoch: whether this was handed over before. If not, it is where the reader is now. */
  #isRepeat(index: number, events: readonly Event[]): boolean {
    if (this.#nameless?.isRepeat(this.#index, index, events)) return true;
    this.#index = index;
    this.#epoch = undefined;
    return false;
  }
}
