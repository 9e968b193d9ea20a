import type { BatchPart, EncodedBatch } from '../batch/encoded-batch.ts';
import { BrokerError } from '../../model/errors.ts';
import type { Gap, GapReason } from '../../model/event.ts';
import type { EventBuffer } from './event-buffer.ts';
import { gapOf, joinGaps } from '../../model/gap.ts';
import type { Asked, Interest } from '../matching/interest.ts';

/** Batches older than the buffer, where a log holds them. */
export interface History {
  /** Batches `from` … `to`, in chunks of bounded size. @throws BrokerError `gap` when some of them are gone */
  read(from: number, to: number): AsyncIterable<readonly EncodedBatch[]>;
  /** What can be read. */
  state(): Promise<{ readonly first: number }>;
}

/** What all cursors of a broker read. */
export interface Backlog {
  readonly buffer: EventBuffer;
  readonly history: History | undefined;
}

/** Where a cursor starts. */
export interface CursorStart {
  /** First index to read. */
  readonly position: number;
  /** What may be missing before it. */
  readonly gap?: Gap | undefined;
}

/**
 * A place in the stream that reads forward: from the log where the buffer does not reach, then from the buffer, up to the head or to a fence.
 * New, replaying, slow and fenced subscriptions are all this and nothing else. It holds a position and, while it reads the log, one bounded chunk.
 */
export class Cursor {
  /** Next index to read. */
  position: number;
  /** Last index that may be read: the fence. Infinity when there is none. */
  limit = Infinity;
  readonly #backlog: Backlog;
  #interest: Interest;
  /** The buffer's run of indexes that the position is from. */
  #run: number;
  #gap: Gap | undefined;
  #chunk: readonly EncodedBatch[] = [];
  #chunkAt = 0;
  #reading: AsyncIterator<readonly EncodedBatch[]> | undefined;
  /** Where the reading of the log ends: what lies before it is behind us when it does. */
  #readTo = 0;

  constructor(backlog: Backlog, interest: Interest, { position, gap }: CursorStart) {
    this.#backlog = backlog;
    this.#interest = interest;
    this.#gap = gap;
    this.#run = backlog.buffer.run;
    this.position = position;
  }

  set interest(interest: Interest) {
    this.#interest = interest;
  }

  /** Last index that can be read now. None where the indexes began anew and nobody told it where to go on: it was revoked before. */
  get end(): number {
    const { buffer } = this.#backlog;
    return this.#run === buffer.run ? Math.min(buffer.head, this.limit) : 0;
  }

  /** Nothing that matches was published since the position. */
  get isAtHead(): boolean {
    return this.position > this.#backlog.buffer.head || this.#interest.nextMatch(this.position) === Infinity;
  }

  /** A gap is to be told before the next part. */
  get hasGap(): boolean {
    return this.#gap !== undefined;
  }

  /** Newest index that was passed. What a gap covers was not, until it is told: a reader that resumes from here must hear of it. */
  get passed(): number {
    if (this.#gap !== undefined) return Math.min(this.#gap.from, this.position) - 1;
    return this.#reached;
  }

  /** The next part is in the log: {@link fill} has to fetch it. */
  get needsHistory(): boolean {
    const { buffer, history } = this.#backlog;
    return (
      history !== undefined &&
      this.position <= this.end &&
      this.position < buffer.first &&
      this.#chunkAt >= this.#chunk.length
    );
  }

  /** The gap to tell before the next part, once. */
  takeGap(): Gap | undefined {
    const gap = this.#gap;
    this.#gap = undefined;
    return gap;
  }

  /** The next matching part, or undefined when there is none up to {@link end}, or {@link needsHistory}. */
  read(): BatchPart | undefined {
    const part = this.#readChunk();
    if (part !== undefined) return part;
    while (this.position <= this.end) {
      const next = this.#skip();
      if (this.position > this.end) return undefined;
      if (this.position >= this.#backlog.buffer.first) {
        // What was being read of the log is behind by now.
        if (this.#reading) this.stopReading();
        return this.#readBuffer(next);
      }
      if (this.#backlog.history !== undefined) return undefined;
      this.#fallOff(next);
    }
    return undefined;
  }

  /** Fetches the next chunk from the log. Call it while {@link needsHistory}, one call at a time. */
  async fill(): Promise<void> {
    const { buffer, history } = this.#backlog;
    if (history === undefined) return;
    const { run } = buffer;
    const reading = (this.#reading ??= this.#open(history, buffer.first - 1));
    try {
      const result = await reading.next();
      if (this.#reading === reading) this.#take(result.done === true ? undefined : result.value);
    } catch (error) {
      if (this.#reading === reading) this.#reading = undefined;
      if (!BrokerError.is(error) || error.code !== 'gap') throw error;
      const { first } = await history.state();
      // Where the indexes began anew meanwhile it was told where to go on, or is not to. At least one further, so that a log that contradicts itself cannot hold it.
      if (run === buffer.run) this.lose('slow', Math.max(this.position + 1, first));
    }
  }

  /** Goes on at `next`, which may be another place than where it was, and tells what may be missing then. @returns the gap, if there is one */
  lose(reason: GapReason, next: number, epoch?: string): Gap | undefined {
    const gap = gapOf(reason, this.position, next, epoch);
    this.#run = this.#backlog.buffer.run;
    this.stopReading();
    if (gap === undefined) return undefined;
    this.position = next;
    return (this.#gap = joinGaps(this.#gap, gap));
  }

  /** Takes the position of a reader that has missed nothing up to the head. */
  settle(): void {
    this.position = this.#reached + 1;
  }

  /** Lets go of the log. */
  stopReading(): void {
    const reading = this.#reading;
    this.#reading = undefined;
    this.#chunk = [];
    this.#chunkAt = 0;
    reading?.return?.().then(undefined, () => undefined);
  }

  /** A reader at the head has passed all that does not match. */
  get #reached(): number {
    const before = this.position - 1;
    return this.limit === Infinity && this.isAtHead ? Math.max(before, this.#backlog.buffer.head) : before;
  }

  #open(history: History, to: number): AsyncIterator<readonly EncodedBatch[]> {
    this.#readTo = to;
    return history.read(this.position, to)[Symbol.asyncIterator]();
  }

  #take(chunk: readonly EncodedBatch[] | undefined): void {
    this.#chunk = chunk ?? [];
    this.#chunkAt = 0;
    if (chunk !== undefined) return;
    this.#reading = undefined;
    this.position = Math.max(this.position, this.#readTo + 1);
  }

  #readChunk(): BatchPart | undefined {
    while (this.#chunkAt < this.#chunk.length) {
      const batch = this.#chunk[this.#chunkAt] as EncodedBatch;
      if (batch.index > this.end) {
        this.position = Math.max(this.position, this.end + 1);
        return undefined;
      }
      this.#chunkAt++;
      this.position = batch.index + 1;
      const part = this.#interest.partOf(batch);
      if (part !== undefined) return part;
    }
    return undefined;
  }

  /** Jumps to the next match where the interest remembers it. @returns whether it does */
  #skip(): boolean {
    const next = this.#interest.nextMatch(this.position);
    if (next === undefined) return false;
    this.position = Math.min(next, this.end + 1);
    return true;
  }

  /** @param isMatch the position itself is known to match */
  #readBuffer(isMatch: boolean): BatchPart | undefined {
    const { buffer } = this.#backlog;
    const { end, position } = this;
    for (let ordinal = buffer.ordinalOf(position); ; ordinal++) {
      const batch = buffer.at(ordinal);
      if (batch === undefined || batch.index > end) break;
      const part = this.#interest.partOf(batch, isMatch && batch.index === position);
      if (part === undefined) continue;
      this.position = batch.index + 1;
      return part;
    }
    this.position = end + 1;
    return undefined;
  }

  /** The position was trimmed. @param isMatch the position itself is known to match */
  #fallOff(isMatch: boolean): void {
    const { buffer } = this.#backlog;
    const lost = isMatch ? this.#interest.lastMatchBefore(buffer.first) : lastTrimmed(buffer, this.#interest);
    if (lost >= this.position) this.lose('slow', lost + 1);
    this.position = buffer.first;
  }
}

/** Newest trimmed index that whoever asks for this may have missed. */
export function lastTrimmed(buffer: EventBuffer, { filter, namespaces }: Asked): number {
  return buffer.lastTrimmedFor({ topics: filter.topics, passesNamespace: (namespace) => namespaces.passes(namespace) });
}
