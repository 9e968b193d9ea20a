import invariant from 'tiny-invariant';
import type { EncodedBatch } from '../batch/encoded-batch.ts';
import type { ByteLedger } from '../batch/encoded-event.ts';
import type { Gap } from '../../model/gap.ts';
import { checkCounts } from '../../model/numbers.ts';
import { lowerBound } from '../../model/lower-bound.ts';
import { IndexMap } from './index-map.ts';
import { TrimMemory, type TrimQuestion } from './trim-memory.ts';

/** Bounds of an {@link EventBuffer}. */
export interface BufferOptions {
  /** How many batches are kept. Default 4096; at least 1. */
  readonly maxBatches?: number;
  /** How many bytes of events are kept, roughly. Default 64 MiB. The newest batch is kept whatever its size. */
  readonly maxBytes?: number;
  /** For how many pairs of topic and namespace the last trimmed index is remembered. Default 4096. */
  readonly maxTrimEntries?: number;
  /**
   * How many keys of topics with `retain` are kept. Default 100,000. Past it the oldest is forgotten, and who asks for
   * the state is told of a gap.
   */
  readonly maxRetainedKeys?: number;
  /** How many bytes their events may take, roughly. Default 128 MiB. */
  readonly maxRetainedBytes?: number;
  /**
   * How many removals are remembered, for readers that resume. Default 65,536. Who comes back to before one that was
   * forgotten is told the gap `state`, and the whole state.
   */
  readonly maxRemovals?: number;
}

/** Bounds with their defaults. */
export type CheckedBuffer = Required<BufferOptions>;

const bufferDefaults: CheckedBuffer = {
  maxBatches: 4096,
  maxBytes: 64 * 1024 * 1024,
  maxTrimEntries: 4096,
  maxRetainedKeys: 100_000,
  maxRetainedBytes: 128 * 1024 * 1024,
  maxRemovals: 65_536,
};

/** @throws TypeError for a bound that is not known or no positive integer */
export const checkBuffer = (options: BufferOptions = {}): CheckedBuffer =>
  checkCounts(definedOf(options), bufferDefaults, 'buffer', 'at least 1');

const definedOf = (options: BufferOptions): BufferOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/**
 * The backlog: the newest batches in the order of their indexes, bounded in count and in bytes. What no longer fits is
 * trimmed from the old end, and remembered by index only. Readers hold positions, never batches.
 */
export class EventBuffer {
  readonly #maxBatches: number;
  readonly #maxBytes: number;
  readonly #maxTrimEntries: number;
  /** A ring of `maxBatches` places; the batch with ordinal n stands at n % maxBatches. */
  #ring: (EncodedBatch | undefined)[] = [];
  #firstOrdinal = 0;
  #nextOrdinal = 0;
  /** Counts what is held, also as it grows. */
  #ledger: ByteLedger = { bytes: 0 };
  #head = 0;
  #latestIndex = 0;
  #start = 1;
  #trims: TrimMemory;
  #run = 0;
  #epoch: string | undefined;
  #indexes = new IndexMap();
  #appended = 0;

  /** @throws TypeError for a bound that is not known or no positive integer */
  constructor(options: BufferOptions = {}) {
    const { maxBatches, maxBytes, maxTrimEntries } = checkBuffer(options);
    this.#maxBatches = maxBatches;
    this.#maxBytes = maxBytes;
    this.#maxTrimEntries = maxTrimEntries;
    this.#trims = new TrimMemory(maxTrimEntries);
  }

  /** Position of the newest batch ever appended; 0 before the first. */
  get head(): number {
    return this.#head;
  }

  /** Index of the newest batch ever appended; 0 before the first. */
  get latestIndex(): number {
    return this.#latestIndex;
  }

  /** How many batches were appended to the newest index, beside its first. */
  get appended(): number {
    return this.#appended;
  }

  /** The index of what is, or was, at a position. */
  indexAt(position: number): number {
    return this.#indexes.indexAt(position);
  }

  /** A gap between positions, as readers are told it. */
  inIndexes(gap: Gap | undefined): Gap | undefined {
    return gap && { ...gap, from: this.indexAt(gap.from), to: this.#indexes.highestIndexAt(gap.to) };
  }

  /** Newest index of which nothing follows after this position. */
  passedAt(position: number): number {
    return this.#indexes.passedAt(position);
  }

  /** Where a reader goes on that has handled what came before `index`. */
  positionOf(index: number): number {
    return this.#indexes.positionOf(index);
  }

  /** From this position on the buffer has every batch. `head + 1` when it is empty. */
  get first(): number {
    return this.#start;
  }

  /** Position of the oldest batch that is held; undefined when none is. */
  get oldest(): number | undefined {
    return this.#at(this.#firstOrdinal)?.position;
  }

  /** Counts the restarts: indexes of another run say nothing about this one. */
  get run(): number {
    return this.#run;
  }

  /**
   * Names the indexes: another epoch means that earlier ones mean nothing here. Drawn when first asked for, since some
   * runtimes (Workers) allow no randomness while a module loads.
   */
  get epoch(): string {
    return (this.#epoch ??= crypto.randomUUID());
  }

  get length(): number {
    return this.#nextOrdinal - this.#firstOrdinal;
  }

  /** About how much memory it takes. */
  get bytes(): number {
    return this.#ledger.bytes;
  }

  /** Which batches an append of `bytes` would trim: the newest of their positions, or 0. */
  wouldTrimUpTo(bytes: number): number {
    if (this.length < this.#maxBatches && this.bytes + bytes <= this.#maxBytes) return 0;
    let last = 0;
    let free = this.#maxBytes - this.bytes;
    for (let n = this.#firstOrdinal; n < this.#nextOrdinal && (free < bytes || n === this.#firstOrdinal); n++) {
      const batch = this.#at(n);
      free += batch?.bytes ?? 0;
      last = batch?.position ?? last;
    }
    return last;
  }

  append(batch: EncodedBatch): void {
    invariant(batch.position > this.#head, 'a batch was appended out of order');
    while (this.length > 0 && (this.length >= this.#maxBatches || this.bytes + batch.bytes > this.#maxBytes))
      this.#trimOldest();
    this.#ring[this.#nextOrdinal++ % this.#maxBatches] = batch;
    batch.countIn(this.#ledger);
    this.#appended = batch.index === this.#latestIndex ? this.#appended + 1 : 0;
    if (this.#appended > 0) this.#indexes.append(batch.position, batch.index);
    this.#head = batch.position;
    this.#latestIndex = batch.index;
  }

  /** Batches from `position` on, oldest first: the ordinal to hand to {@link at}. */
  ordinalOf(position: number): number {
    // Where the indexes have no holes it stands just there.
    const guess = this.#nextOrdinal - 1 - (this.#head - position);
    if (guess >= this.#firstOrdinal && this.at(guess)?.position === position) return guess;
    return lowerBound(this.#firstOrdinal, this.#nextOrdinal, (n) => (this.#at(n)?.position ?? 0) < position);
  }

  /** The batch with that ordinal; undefined past the newest. */
  at(ordinal: number): EncodedBatch | undefined {
    return ordinal < this.#nextOrdinal ? this.#at(ordinal) : undefined;
  }

  /** Newest trimmed index that such a reader may have missed; 0 when it missed none. */
  lastTrimmedFor(question: TrimQuestion): number {
    return this.#trims.lastFor(question);
  }

  /**
   * Forgets everything, and goes on after `head`, in this epoch: another log, the start of one, or a part of it that
   * nobody saw.
   */
  restart(head: number, epoch: string): void {
    this.#epoch = epoch;
    this.#ring = [];
    this.#firstOrdinal = this.#nextOrdinal = 0;
    // What was held may grow on: it is still read.
    this.#ledger = { bytes: 0 };
    this.#run++;
    this.#head = this.#latestIndex = head;
    this.#start = head + 1;
    this.#trims = new TrimMemory(this.#maxTrimEntries);
    this.#indexes = new IndexMap();
  }

  #at(ordinal: number): EncodedBatch | undefined {
    return this.#ring[ordinal % this.#maxBatches];
  }

  #trimOldest(): void {
    const place = this.#firstOrdinal++ % this.#maxBatches;
    const batch = this.#ring[place];
    this.#ring[place] = undefined;
    if (!batch) return;
    batch.countOut();
    this.#start = batch.position + 1;
    this.#indexes.trimmed(batch.position);
    this.#trims.trimmed(batch);
  }
}
