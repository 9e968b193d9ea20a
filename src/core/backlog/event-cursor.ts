import type { BatchPart, EncodedBatch } from '../batch/encoded-batch.ts';
import type { Asked } from '../matching/interest.ts';
import { gapOf, type Gap, type GapReason } from '../../model/gap.ts';
import { Cursor, fetchFirst, waitForMore, type CursorRead } from './cursor.ts';
import type { EventBuffer } from './event-buffer.ts';
import { type Fetched, HistoryReading } from './history-reading.ts';
import { questionOf } from './trim-memory.ts';

/**
 * Reads every batch: from the log where the buffer does not reach, then from the buffer. While it reads the log, it
 * holds one bounded chunk.
 */
export class EventCursor extends Cursor {
  #reading: HistoryReading | undefined;

  override get isInLog(): boolean {
    const { buffer, history } = this.backlog;
    return history !== undefined && this.position < buffer.first && this.position <= this.end;
  }

  override get isFetching(): boolean {
    return this.#reading?.isFetching ?? false;
  }

  override get sharedPlace(): number | undefined {
    // What is at hand of the log begins just where it stands.
    if (this.#reading?.batch === undefined)
      do this.#approach();
      while (this.turn());
    return !this.hasGap && this.position <= this.end ? this.position : undefined;
  }

  override async fetch(): Promise<void> {
    const { buffer, history } = this.backlog;
    if (history === undefined) return;
    const { run } = buffer;
    // It may know by now that nothing up to further on is for it: of what lies between, nothing is asked, or missed.
    if (this.#reading && this.#reading.next < this.position) this.stopReading();
    const reading = (this.#reading ??= new HistoryReading(history, this.position, buffer.first - 1));
    const fetched = await this.#fetched(reading);
    // One that was given up, since the cursor goes on elsewhere, moves nothing.
    if (this.#reading !== reading || fetched === undefined || fetched === 'more') return;
    if (fetched === 'over') this.#finishReading(reading);
    // Where the indexes began anew meanwhile it was told where to go on, or is not to. At least one further: a log that
    // contradicts itself would hold it here for ever.
    else if (run === buffer.run) this.moveTo(Math.max(this.position + 1, fetched.first), 'slow');
    else this.stopReading();
  }

  async #fetched(reading: HistoryReading): Promise<Fetched | undefined> {
    try {
      return await reading.fetch();
    } catch (error) {
      if (this.#reading !== reading) return undefined;
      this.#reading = undefined;
      throw error;
    }
  }

  override moveTo(next: number, reason: GapReason, epoch?: string): Gap | undefined {
    const { buffer } = this.backlog;
    const gap = buffer.inIndexes(gapOf(reason, this.position, next, epoch));
    this.enterRun();
    this.stopReading();
    if (gap === undefined) return undefined;
    this.position = next;
    return this.addGap(gap);
  }

  override stopReading(): void {
    this.#reading?.stop();
    this.#reading = undefined;
  }

  protected override readStretch(): CursorRead {
    const fetched = this.#readFetched();
    if (fetched !== undefined) return fetched;
    const isMatch = this.#approach();
    if (this.hasGap || this.position > this.end) return this.gapOr(waitForMore);
    if (this.isInLog) return fetchFirst;
    // What was being read of the log is behind by now.
    this.stopReading();
    return this.#readBuffer(isMatch) ?? this.gapOr(waitForMore);
  }

  /** What it held nobody knows: it may have been for this reader. */
  #passUnreadable({ index, position }: EncodedBatch): undefined {
    this.position = position + 1;
    this.addGap({ from: index, to: index, reason: 'trimmed' });
  }

  #finishReading(reading: HistoryReading): void {
    this.#reading = undefined;
    this.position = Math.max(this.position, reading.to + 1);
  }

  #readFetched(): BatchPart | undefined {
    const reading = this.#reading;
    for (let batch = reading?.batch; batch !== undefined; batch = reading?.batch) {
      if (batch.position > this.end) {
        this.position = Math.max(this.position, this.end + 1);
        return undefined;
      }
      reading?.advance();
      if (batch.isUnreadable) return this.#passUnreadable(batch);
      this.position = batch.position + 1;
      const part = this.interest.partOf(batch);
      if (part !== undefined) return part;
    }
    return undefined;
  }

  /**
   * Goes to where the next read has to look: past what is known not to match, and past what was trimmed, which leaves a
   * gap.
   * @returns whether the position itself is known to match
   */
  #approach(): boolean {
    const { buffer, history } = this.backlog;
    while (this.position <= this.end) {
      const isMatch = this.#skip();
      if (this.position >= buffer.first || this.position > this.end || history !== undefined) return isMatch;
      this.#fallOff(isMatch);
    }
    return false;
  }

  /** Jumps to the next match where the interest remembers it. @returns whether it does */
  #skip(): boolean {
    const next = this.interest.nextMatch(this.position);
    if (next === undefined) return false;
    this.position = Math.min(next, this.end + 1);
    return true;
  }

  /** @param isMatch the position itself is known to match */
  #readBuffer(isMatch: boolean): BatchPart | undefined {
    const { buffer } = this.backlog;
    const { end, position } = this;
    for (let ordinal = buffer.ordinalOf(position); ; ordinal++) {
      const batch = buffer.at(ordinal);
      if (batch === undefined || batch.position > end) break;
      if (batch.isUnreadable) return this.#passUnreadable(batch);
      const part = this.interest.partOf(batch, isMatch && batch.position === position);
      if (part === undefined) continue;
      this.position = batch.position + 1;
      return part;
    }
    this.position = end + 1;
    return undefined;
  }

  /** The position was trimmed. @param isMatch the position itself is known to match */
  #fallOff(isMatch: boolean): void {
    const { buffer } = this.backlog;
    const lost = isMatch ? this.interest.lastMatchBefore(buffer.first) : lastTrimmed(buffer, this.interest);
    // Moves nothing where nothing was lost.
    this.moveTo(lost + 1, 'slow');
    // Past the fence other rights may have seen more: what of that is missing is told when they are here.
    this.position = Math.min(buffer.first, Math.max(this.position, this.limit + 1));
  }
}

/** Newest trimmed index that whoever asks for this may have missed. */
export function lastTrimmed(buffer: EventBuffer, asked: Asked): number {
  return buffer.lastTrimmedFor(questionOf(asked));
}
