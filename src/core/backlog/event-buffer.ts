import invariant from 'tiny-invariant';
import type { EncodedBatch } from '../batch/encoded-batch.ts';
import { lowerBound } from '../matching/lower-bound.ts';
import { TrimMemory, type TrimQuestion } from './trim-memory.ts';

/** Bounds of an {@link EventBuffer}. */
export interface BufferOptions {
  /** How many batches are kept. Default 4096; at least 1. */
  readonly maxBatches?: number;
  /** How many bytes of events are kept, roughly. Default 64 MiB. The newest batch is kept whatever its size. */
  readonly maxBytes?: number;
  /** For how many pairs of topic and namespace the last trimmed index is remembered. Default 4096. */
  readonly maxTrimEntries?: number;
}

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
  #bytes = 0;
  #head = 0;
  #start = 1;
  #trims: TrimMemory;
  #run = 0;

  /** @throws TypeError for a bound that is no positive integer */
  constructor({ maxBatches = 4096, maxBytes = 64 * 1024 * 1024, maxTrimEntries = 4096 }: BufferOptions = {}) {
    for (const [name, value] of Object.entries({ maxBatches, maxBytes, maxTrimEntries })) {
      if (!Number.isSafeInteger(value) || value < 1)
        throw new TypeError(`buffer.${name} must be at least 1; got ${value}.`);
    }
    this.#maxBatches = maxBatches;
    this.#maxBytes = maxBytes;
    this.#maxTrimEntries = maxTrimEntries;
    this.#trims = new TrimMemory(maxTrimEntries);
  }

  /** Index of the newest batch ever appended; 0 before the first. */
  get head(): number {
    return this.#head;
  }

  /** From this index on the buffer has every batch. `head + 1` when it is empty. */
  get first(): number {
    return this.#start;
  }

  /** Index of the oldest batch that is held; undefined when none is. */
  get oldest(): number | undefined {
    return this.#at(this.#firstOrdinal)?.index;
  }

  /** Counts the restarts: indexes of another run say nothing about this one. */
  get run(): number {
    return this.#run;
  }

  get length(): number {
    return this.#nextOrdinal - this.#firstOrdinal;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Which batches an append of `bytes` would trim: the newest of their indexes, or 0. */
  wouldTrimUpTo(bytes: number): number {
    if (this.length < this.#maxBatches && this.#bytes + bytes <= this.#maxBytes) return 0;
    let last = 0;
    let free = this.#maxBytes - this.#bytes;
    for (let n = this.#firstOrdinal; n < this.#nextOrdinal && (free < bytes || n === this.#firstOrdinal); n++) {
      const batch = this.#at(n);
      free += batch?.bytes ?? 0;
      last = batch?.index ?? last;
    }
    return last;
  }

  append(batch: EncodedBatch): void {
    invariant(batch.index > this.#head, 'a batch was appended out of order');
    while (this.length > 0 && (this.length >= this.#maxBatches || this.#bytes + batch.bytes > this.#maxBytes))
      this.#trimOldest();
    this.#ring[this.#nextOrdinal++ % this.#maxBatches] = batch;
    this.#bytes += batch.bytes;
    this.#head = batch.index;
  }

  /** Batches from `index` on, oldest first: the ordinal to hand to {@link at}. */
  ordinalOf(index: number): number {
    // Where the indexes have no holes it stands just there.
    const guess = this.#nextOrdinal - 1 - (this.#head - index);
    if (guess >= this.#firstOrdinal && this.at(guess)?.index === index) return guess;
    return lowerBound(this.#firstOrdinal, this.#nextOrdinal, (n) => (this.#at(n)?.index ?? 0) < index);
  }

  /** The batch with that ordinal; undefined past the newest. */
  at(ordinal: number): EncodedBatch | undefined {
    return ordinal < this.#nextOrdinal ? this.#at(ordinal) : undefined;
  }

  /** Newest trimmed index that such a reader may have missed; 0 when it missed none. */
  lastTrimmedFor(question: TrimQuestion): number {
    return this.#trims.lastFor(question);
  }

  /** Forgets everything, and goes on after `head`: another log, or the start of one. */
  restart(head: number): void {
    this.#ring = [];
    this.#firstOrdinal = this.#nextOrdinal = 0;
    this.#bytes = 0;
    this.#run++;
    this.#head = head;
    this.#start = head + 1;
    this.#trims = new TrimMemory(this.#maxTrimEntries);
  }

  #at(ordinal: number): EncodedBatch | undefined {
    return this.#ring[ordinal % this.#maxBatches];
  }

  #trimOldest(): void {
    const place = this.#firstOrdinal++ % this.#maxBatches;
    const batch = this.#ring[place];
    this.#ring[place] = undefined;
    if (!batch) return;
    this.#bytes -= batch.bytes;
    this.#start = batch.index + 1;
    this.#trims.trimmed(batch);
  }
}
