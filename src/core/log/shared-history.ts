import type { EncodedBatch } from '../batch/encoded-batch.ts';
import type { ByteLedger } from '../batch/encoded-event.ts';
import type { Clock, ClockTimer } from '../../model/clock.ts';
import type { FairLimit } from './fair-limit.ts';

type Chunks = AsyncGenerator<readonly EncodedBatch[], void, undefined>;

/** A stretch of the log that is being read, and stands between two chunks. */
interface Reading {
  readonly chunks: Chunks;
  /** Last position of it. */
  readonly to: number;
}

/** All that the log holds from one position on, up to before another. */
interface Chunk {
  readonly batches: readonly EncodedBatch[];
  /** Where the next one begins. */
  readonly next: number;
}

/** One that was read, or is being read. */
interface KeptChunk {
  readonly chunk: Promise<Chunk>;
  /** What counts in the ledger; undefined until it was read. */
  batches?: readonly EncodedBatch[];
}

/**
 * As much of what was read is kept for those who come next, in bytes, with all that readers made of it; past it what
 * was begun first goes.
 */
const MAX_BYTES = 8 * 1024 * 1024;

/** What a chunk takes beside its batches: it may have none. */
const PLACE_BYTES = 400;

/** When nobody has asked for anything for so long, in ms, nothing is kept: who reads may rest for ever. */
const IDLE_MS = 10_000;

/** So many readings may stand where somebody may go on with them. */
const MAX_READINGS = 8;

/**
 * Reads the log's history for all who are behind: what one has read is there for those who come past the same place
 * soon after, so that a thousand who come back after a deploy read the log about once. It holds nothing while nobody
 * reads, or all who do rest.
 */
export class SharedHistory {
  readonly #open: (from: number, to: number) => Chunks;
  readonly #turns: FairLimit;
  readonly #clock: Clock;
  /** By the position that they begin at; what was begun first stands first. */
  readonly #chunks = new Map<number, KeptChunk>();
  /** By the position that they go on at; oldest first. */
  readonly #readings = new Map<number, Reading>();
  /** Counts what is kept, also as it grows. */
  #ledger: ByteLedger = { bytes: 0 };
  #readers = 0;
  /** How many chunks are being read, or wait for their turn. */
  #pending = 0;
  /** Somebody has asked since the timer began. */
  #isInUse = false;
  #idle: ClockTimer | undefined;

  /**
   * @param open reads a stretch, in chunks of bounded size
   * @param turns bounds how many chunks are read at once
   */
  constructor(open: (from: number, to: number) => Chunks, turns: FairLimit, clock: Clock) {
    this.#open = open;
    this.#turns = turns;
    this.#clock = clock;
  }

  /** Batches `from` … `to`, in chunks. @throws (rejects) what reading throws */
  async *read(from: number, to: number): Chunks {
    this.#readers++;
    try {
      for (let at = from; at <= to;) {
        const { batches, next } = await this.#chunkAt(at, to);
        at = next;
        // Not all of them where another one reads further.
        const wanted = next <= to + 1 ? batches : batches.filter(({ position }) => position <= to);
        if (wanted.length > 0) yield wanted;
      }
    } finally {
      if (--this.#readers === 0) this.#forget();
    }
  }

  #chunkAt(at: number, to: number): Promise<Chunk> {
    this.#use();
    // What was handed over since may have grown.
    this.#makeRoom();
    const known = this.#chunks.get(at);
    if (known) return known.chunk;
    const kept: KeptChunk = { chunk: this.#turns.run(() => this.#pull(at, to)) };
    this.#chunks.set(at, kept);
    this.#pending++;
    // Who reads it waits for it, and is counted until then; so it is there until it was read.
    kept.chunk.then(
      (chunk) => this.#wasRead(at, kept, chunk),
      () => this.#wasRead(at, kept),
    );
    return kept.chunk;
  }

  async #pull(at: number, to: number): Promise<Chunk> {
    const reading = this.#readings.get(at) ?? { chunks: this.#open(at, to), to };
    this.#readings.delete(at);
    const { done, value: batches } = await reading.chunks.next();
    if (done === true) return { batches: [], next: reading.to + 1 };
    // One without batches is asked again, when the others have had their turn.
    const next = (batches.at(-1)?.position ?? at - 1) + 1;
    this.#putBack(next, reading);
    return { batches, next };
  }

  /** Whoever reads on goes on with it, as far as it goes. */
  #putBack(next: number, reading: Reading): void {
    this.#close(next);
    if (next > reading.to) return end(reading);
    this.#readings.set(next, reading);
    for (const oldest of this.#readings.keys()) {
      if (this.#readings.size <= MAX_READINGS) return;
      this.#close(oldest);
    }
  }

  #close(next: number): void {
    const reading = this.#readings.get(next);
    this.#readings.delete(next);
    if (reading) end(reading);
  }

  /** @param chunk undefined where reading it has failed: it is asked for anew, as one that leads nowhere */
  #wasRead(at: number, kept: KeptChunk, chunk?: Chunk): void {
    this.#pending--;
    if (chunk === undefined || chunk.next === at) {
      this.#chunks.delete(at);
      return;
    }
    kept.batches = chunk.batches;
    this.#ledger.bytes += PLACE_BYTES;
    for (const batch of chunk.batches) batch.countIn(this.#ledger);
    this.#makeRoom();
  }

  /** The oldest go; what is let go of is still with those who have it. */
  #makeRoom(): void {
    for (const [at, { batches }] of this.#chunks) {
      if (this.#ledger.bytes <= MAX_BYTES) return;
      if (batches === undefined) continue;
      this.#chunks.delete(at);
      this.#ledger.bytes -= PLACE_BYTES;
      for (const batch of batches) batch.countOut();
    }
  }

  #use(): void {
    this.#isInUse = true;
    this.#idle ??= this.#clock.after(IDLE_MS, () => this.#forgetUnused());
  }

  #forgetUnused(): void {
    this.#idle = undefined;
    if (!this.#isInUse && this.#pending === 0) return this.#forget();
    this.#use();
    this.#isInUse = false;
  }

  #forget(): void {
    this.#idle?.cancel();
    this.#idle = undefined;
    for (const next of this.#readings.keys()) this.#close(next);
    this.#chunks.clear();
    // What was kept may grow on with those who have it.
    this.#ledger = { bytes: 0 };
  }
}

function end({ chunks }: Reading): void {
  void chunks.return().then(undefined, () => undefined);
}
