import type { BatchPart, EncodedBatch } from '../batch/encoded-batch.ts';
import type { Asked, Interest } from '../matching/interest.ts';
import { BrokerError } from '../../model/errors.ts';
import { gapOf, isRestart, joinGaps, type Gap, type GapReason } from '../../model/gap.ts';
import type { Topics } from '../../model/topics.ts';
import type { EventBuffer } from './event-buffer.ts';
import { HistoryReading, type History } from './history-reading.ts';
import type { RetainedState } from './retained-state.ts';
import { markText, staleMark } from './state-mark.ts';
import { StateReading, type StateStart } from './state-reading.ts';
import { questionOf } from './trim-memory.ts';

/** What all cursors of a broker read. */
export interface Backlog {
  readonly buffer: EventBuffer;
  readonly history: History | undefined;
  /** Takes back the interests that cursors have done with. */
  readonly interests: { release(interest: Interest): void };
  readonly state: RetainedState;
  readonly topics: Topics;
}

/** A stretch of the stream that is read with other rights than what comes before it. */
interface Stretch {
  readonly interest: Interest;
  /** Last index of it that may be read; Infinity when there is none. */
  limit: number;
}

/**
 * So many changes of rights can wait for a reader to come to them; past that, it is told a gap over the oldest stretch.
 */
const MAX_STRETCHES = 16;

/** Where a cursor starts. */
export interface CursorStart {
  /** First index to read. */
  readonly position: number;
  /** What may be missing before it. */
  readonly gap?: Gap | undefined;
  /** Only for an interest in the state. */
  readonly state?: StateStart | undefined;
}

/**
 * What a read gives, or why it gives nothing:
 * - `part`: the next matching part of a batch
 * - `gap`: what may be missing before the next part; told once
 * - `current`: what was read is the state at this index; told once
 * - `fetch`: the next part is in the log, and has to be fetched
 * - `wait`: all that may be read was read, up to the head or to the fence
 */
export type CursorRead =
  | BatchPart
  | { readonly kind: 'gap'; readonly gap: Gap }
  | { readonly kind: 'current'; readonly index: number }
  | typeof fetchFirst
  | typeof waitForMore;

// One object each: a read that gives nothing costs nothing.
const fetchFirst = { kind: 'fetch' } as const;
const waitForMore = { kind: 'wait' } as const;

/**
 * A place in the stream that reads forward: from the log where the buffer does not reach, then from the buffer, up to
 * the head or to a fence. New, replaying, slow and fenced subscriptions are all this and nothing else. It holds a
 * position and, while it reads the log, one bounded chunk.
 *
 * Rights that change do so at an index: up to it the cursor reads with the interest that it had, from there on with the
 * one that came with the new rights, however far behind it is. Of its interests it is the owner.
 */
export class Cursor {
  /** Next index to read. */
  position: number;
  /** Last index that may be read: the fence. Infinity when there is none. */
  limit = Infinity;
  /** How often it went on with other rights. */
  turns = 0;
  readonly #backlog: Backlog;
  #interest: Interest;
  /** What is to be read with other rights, after `limit`; oldest first. */
  #later: Stretch[] | undefined;
  #isDisowned = false;
  /** The buffer's run of indexes that the position is from. */
  #run: number;
  #gap: Gap | undefined;
  #reading: HistoryReading | undefined;
  readonly #state: StateReading | undefined;
  #isStale = false;

  constructor(backlog: Backlog, interest: Interest, { position, gap, state }: CursorStart) {
    this.#backlog = backlog;
    this.#interest = interest;
    this.#gap = gap;
    this.#run = backlog.buffer.run;
    this.position = position;
    this.#state = state && new StateReading(backlog, interest, state);
    this.#isStale = gap !== undefined && isRestart(gap) && state !== undefined;
  }

  /** With which it reads now. */
  get interest(): Interest {
    return this.#interest;
  }

  /** Nothing above `index` is read until {@link release}. */
  fence(index: number): void {
    this.limit = Math.min(this.limit, index);
    for (const stretch of this.#later ?? []) stretch.limit = Math.min(stretch.limit, index);
  }

  /** What lies above the fence is read with this interest, which is the cursor's own from now on. */
  release(interest: Interest): void {
    const newest = this.#later?.at(-1);
    if (interest !== (newest?.interest ?? this.#interest)) {
      (this.#later ??= []).push({ interest, limit: Infinity });
      if (this.#later.length > MAX_STRETCHES) this.moveTo(this.limit + 1, 'slow');
      this.#turn();
      return;
    }
    if (newest === undefined) this.limit = Infinity;
    else newest.limit = Infinity;
    this.#giveBack(interest);
  }

  /** Gives its interests back; it may still read on. */
  disown(): void {
    for (const interest of [this.#interest, ...(this.#later ?? []).map((stretch) => stretch.interest)])
      this.#giveBack(interest);
    this.#isDisowned = true;
  }

  /**
   * Last index that can be read now. 0, so nothing, for a cursor of another run of indexes that was not told where to
   * go on: its subscription was revoked before the indexes began anew, and what has its indexes now is not what it was
   * allowed to see.
   */
  get end(): number {
    return this.#endFor(this.limit);
  }

  /** All that may be read now was read. */
  get isAtEnd(): boolean {
    // With the rights that came last there may be more.
    return this.position > this.#endFor(this.#later?.at(-1)?.limit ?? this.limit) && this.#reading?.batch === undefined;
  }

  /** Nothing that matches was published since the position. */
  get isAtHead(): boolean {
    return this.position > this.#backlog.buffer.head || this.#interest.nextMatch(this.position) === Infinity;
  }

  /** A gap is to be told before the next part. */
  get hasGap(): boolean {
    return this.#gap !== undefined;
  }

  /** The next index to read is in the log alone. */
  get isInLog(): boolean {
    const { buffer, history } = this.#backlog;
    if (this.#state !== undefined) return false;
    return history !== undefined && this.position < buffer.first && this.position <= this.end;
  }

  /** A {@link fetch} is under way that will bring what comes next. */
  get isFetching(): boolean {
    return this.#reading?.isFetching ?? false;
  }

  /**
   * Newest index that was passed. What a gap covers was not, until it is told: a reader that resumes from here must
   * hear of it.
   */
  get passed(): number {
    const { buffer } = this.#backlog;
    if (this.#isStale) return 0;
    if (this.#gap !== undefined) return Math.min(this.#gap.from, buffer.indexAt(this.position)) - 1;
    return buffer.passedAt(this.#reached);
  }

  /** The next matching part, the gap before it, or why there is neither. */
  read(): CursorRead {
    for (;;) {
      const read = this.#readStretch();
      if (read !== waitForMore || !this.#turn()) return read;
    }
  }

  #readStretch(): CursorRead {
    return this.#state === undefined ? this.#readEvents() : this.#readState(this.#state);
  }

  #readEvents(): CursorRead {
    const fetched = this.#readFetched();
    if (fetched !== undefined) return fetched;
    const isMatch = this.#approach();
    if (this.#gap !== undefined || this.position > this.end) return this.#gapOr(waitForMore);
    if (this.isInLog) return fetchFirst;
    // What was being read of the log is behind by now.
    this.stopReading();
    return this.#readBuffer(isMatch) ?? this.#gapOr(waitForMore);
  }

  /**
   * Where the next read begins, if others may read the same from there; undefined when it is to tell of a gap first, or
   * has nothing to read there.
   */
  get sharedPlace(): number | undefined {
    if (this.#state !== undefined) return this.#sharedStatePlace(this.#state);
    if (this.#reading?.batch !== undefined) return undefined;
    do this.#approach();
    while (this.#turn());
    return this.#gap === undefined && this.position <= this.end && !this.isInLog ? this.position : undefined;
  }

  /** Fetches the next chunk from the log. Call it after a read gave `fetch`, and while none is under way. */
  async fetch(): Promise<void> {
    const { buffer, history } = this.#backlog;
    if (history === undefined) return;
    const { run } = buffer;
    const reading = (this.#reading ??= new HistoryReading(history, this.position, buffer.first - 1));
    try {
      const hasMore = await reading.fetch();
      if (this.#reading === reading && !hasMore) this.#finishReading(reading);
    } catch (error) {
      if (this.#reading === reading) this.#reading = undefined;
      if (!BrokerError.is(error) || error.code !== 'gap') throw error;
      const { first } = await history.state();
      // Where the indexes began anew meanwhile it was told where to go on, or is not to. At least one further: a log
      // that contradicts itself would hold it here for ever.
      if (run === buffer.run) this.moveTo(Math.max(this.position + 1, first), 'slow');
    }
  }

  /**
   * Goes on at `next`, which may be another place than where it was, and tells what may be missing.
   * @returns the gap, if there is one
   */
  moveTo(next: number, reason: GapReason, epoch?: string): Gap | undefined {
    const { buffer } = this.#backlog;
    if (this.#state !== undefined) return this.#restartState(this.#state, reason, epoch);
    const gap = buffer.inIndexes(gapOf(reason, this.position, next, epoch));
    this.#run = buffer.run;
    this.stopReading();
    if (gap === undefined) return undefined;
    this.position = next;
    return (this.#gap = joinGaps(this.#gap, gap));
  }

  /** A gap that was read and could not be told: the next read tells it. */
  returnGap(gap: Gap | undefined): void {
    if (gap !== undefined) this.#gap = this.#gap ? joinGaps(gap, this.#gap) : gap;
  }

  /** It parts from others, with whom it had all there is. */
  part(): void {
    this.#state?.count();
  }

  /** How many events were superseded before it came to them. */
  get skipped(): number {
    return this.#state?.skipped ?? 0;
  }

  /** That its state is current was read, and could not be told: the next read tells it. */
  returnCurrent(): void {
    this.#state?.returnCurrent();
  }

  /**
   * Removals up to this position are not told to it: it is 0 for a reader of events, and undefined as long as the state
   * is not here.
   */
  get floor(): number | undefined {
    if (this.#state === undefined) return 0;
    return this.#state.isReady ? this.#state.floor : undefined;
  }

  /** Which state it reads; undefined for a reader of events, and as long as the state is not here. */
  get mark(): string | undefined {
    const { floor } = this;
    if (this.#isStale) return staleMark;
    if (this.#state === undefined || floor === undefined) return undefined;
    return markText({ view: this.#interest.view, since: this.#backlog.buffer.indexAt(floor) });
  }

  /** Names the state it reads, where the same request may be shown another one. */
  get neededView(): string | undefined {
    return this.#state?.needsMark === true ? this.#interest.view : undefined;
  }

  /**
   * What the reader holds counts no more, and nothing of the state that does was read: there is no place to resume
   * from.
   */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Takes the position of a reader that has missed nothing up to the head, where it is one. */
  advanceToReached(): void {
    this.position = this.#reached + 1;
  }

  /** Lets go of the log. */
  stopReading(): void {
    this.#reading?.stop();
    this.#reading = undefined;
  }

  #endFor(limit: number): number {
    const { buffer } = this.#backlog;
    return this.#run === buffer.run ? Math.min(buffer.head, limit) : 0;
  }

  /** Goes on with the rights that came next, when all before the change was read. @returns whether it did */
  #turn(): boolean {
    if (this.#later === undefined || this.position <= this.limit) return false;
    const next = this.#later.shift();
    if (next === undefined) return false;
    if (this.#later.length === 0) this.#later = undefined;
    this.#giveBack(this.#interest);
    this.#interest = next.interest;
    this.limit = next.limit;
    this.turns++;
    // What it may not see any more, or could not see before, is told as a state that begins anew.
    if (this.#state !== undefined) this.#restartState(this.#state, 'state');
    return true;
  }

  #readState(state: StateReading): CursorRead {
    if (!state.isReady || this.#run !== this.#backlog.buffer.run) return waitForMore;
    if (state.hasLostSince(this.position - 1)) this.#restartState(state, 'state');
    this.#joinGap(state.takePlainGap(this.position));
    if (this.#gap !== undefined) return this.#gapOr(waitForMore);
    const { buffer } = this.#backlog;
    const { end } = this;
    const next = this.position <= end ? state.next(this.position, end) : undefined;
    if (typeof next === 'number') {
      this.position = next + 1;
      this.#joinGap({ from: next, to: next, reason: 'trimmed' });
      return this.#gapOr(waitForMore);
    }
    this.position = Math.max(this.position, next === undefined ? end + 1 : next.position + 1);
    if (next !== undefined) {
      this.#isStale = false;
      return next;
    }
    if (this.limit !== Infinity || this.position <= buffer.head) return waitForMore;
    state.settle();
    this.#isStale = false;
    return state.tellCurrent() ? { kind: 'current', index: buffer.latestIndex } : waitForMore;
  }

  /** @param gap between positions */
  #joinGap(gap: Gap | undefined): void {
    const told = this.#backlog.buffer.inIndexes(gap);
    if (told !== undefined) this.#gap = joinGaps(this.#gap, told);
  }

  /** The whole state is read again: with the rights that came last, since those before show what counts no more. */
  #restartState(state: StateReading, reason: GapReason, epoch?: string): Gap {
    const { buffer, state: retained } = this.#backlog;
    const isOther = this.#run !== buffer.run;
    for (let later = this.#later?.shift(); later !== undefined; later = this.#later?.shift()) {
      this.#giveBack(this.#interest);
      this.#interest = later.interest;
      this.limit = later.limit;
    }
    this.#later = undefined;
    this.#run = buffer.run;
    state.restart(this.#interest);
    if (isOther) state.readPlainFrom(buffer.first);
    this.position = 1;
    const gap: Gap = {
      from: buffer.indexAt(retained.oldest ?? buffer.head + 1),
      to: Math.max(buffer.indexAt(retained.oldest ?? buffer.head + 1), buffer.latestIndex),
      reason: isRestart({ reason }) ? reason : 'state',
      ...(epoch !== undefined && { epoch }),
    };
    const { mark } = this;
    this.#isStale = true;
    return (this.#gap = joinGaps(this.#gap, mark === undefined ? gap : { ...gap, mark }));
  }

  #sharedStatePlace(state: StateReading): number | undefined {
    const isOwn = !state.isReady || this.#gap !== undefined || this.position > this.end;
    if (isOwn || state.hasLostSince(this.position - 1) || !state.isSharedFrom(this.position)) return undefined;
    return this.position;
  }

  #giveBack(interest: Interest): void {
    if (!this.#isDisowned) this.#backlog.interests.release(interest);
  }

  /** A reader at the head has passed all that does not match. */
  get #reached(): number {
    const before = this.position - 1;
    return this.limit === Infinity && this.isAtHead ? Math.max(before, this.#backlog.buffer.head) : before;
  }

  #gapOr<R>(otherwise: R): { readonly kind: 'gap'; readonly gap: Gap } | R {
    const gap = this.#gap;
    if (gap === undefined) return otherwise;
    this.#gap = undefined;
    return { kind: 'gap', gap };
  }

  /** What it held nobody knows: it may have been for this reader. */
  #passUnreadable({ index, position }: EncodedBatch): undefined {
    this.position = position + 1;
    this.#gap = joinGaps(this.#gap, { from: index, to: index, reason: 'trimmed' });
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
      const part = this.#interest.partOf(batch);
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
    const { buffer, history } = this.#backlog;
    while (this.position <= this.end) {
      const isMatch = this.#skip();
      if (this.position >= buffer.first || this.position > this.end || history !== undefined) return isMatch;
      this.#fallOff(isMatch);
    }
    return false;
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
      if (batch === undefined || batch.position > end) break;
      if (batch.isUnreadable) return this.#passUnreadable(batch);
      const part = this.#interest.partOf(batch, isMatch && batch.position === position);
      if (part === undefined) continue;
      this.position = batch.position + 1;
      return part;
    }
    this.position = end + 1;
    return undefined;
  }

  /** The position was trimmed. @param isMatch the position itself is known to match */
  #fallOff(isMatch: boolean): void {
    const { buffer } = this.#backlog;
    const lost = isMatch ? this.#interest.lastMatchBefore(buffer.first) : lastTrimmed(buffer, this.#interest);
    if (lost >= this.position) this.moveTo(lost + 1, 'slow');
    // Past the fence other rights may have seen more: what of that is missing is told when they are here.
    this.position = Math.min(buffer.first, Math.max(this.position, this.limit + 1));
  }
}

/** Newest trimmed index that whoever asks for this may have missed. */
export function lastTrimmed(buffer: EventBuffer, asked: Asked): number {
  return buffer.lastTrimmedFor(questionOf(asked));
}
