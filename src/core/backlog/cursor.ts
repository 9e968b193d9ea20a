import type { BatchPart } from '../batch/encoded-batch.ts';
import type { StreamFormat } from '../batch/stream-format.ts';
import type { Interest } from '../matching/interest.ts';
import type { Slice } from '../matching/shared-slices.ts';
import { joinGaps, type Gap, type GapReason } from '../../model/gap.ts';
import type { Topics } from '../../model/topics.ts';
import type { EventBuffer } from './event-buffer.ts';
import type { History } from './history-reading.ts';
import type { RetainedState } from './retained-state.ts';
import type { StateStart } from './state-reading.ts';

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
export const fetchFirst = { kind: 'fetch' } as const;
export const waitForMore = { kind: 'wait' } as const;

/**
 * A place in the stream that reads forward, up to the head or to a fence. New, replaying, slow and fenced subscriptions
 * are all this and nothing else: it holds a position. What it reads up to there is of two kinds, `EventCursor` and
 * `StateCursor`.
 *
 * Rights that change do so at an index: up to it the cursor reads with the interest that it had, from there on with the
 * one that came with the new rights, however far behind it is. Of its interests it is the owner.
 */
export abstract class Cursor {
  /** Next index to read. */
  position: number;
  /** Last index that may be read: the fence. Infinity when there is none. */
  limit = Infinity;
  /** How often it went on with other rights. */
  turns = 0;
  protected readonly backlog: Backlog;
  #interest: Interest;
  /** What is to be read with other rights, after `limit`; oldest first. */
  #later: Stretch[] | undefined;
  #isDisowned = false;
  /** The buffer's run of indexes that the position is from. */
  #run: number;
  #gap: Gap | undefined;

  constructor(backlog: Backlog, interest: Interest, { position, gap }: CursorStart) {
    this.backlog = backlog;
    this.#interest = interest;
    this.#gap = gap;
    this.#run = backlog.buffer.run;
    this.position = position;
  }

  /** The next matching part up to `end`, the gap before it, or why there is neither. */
  protected abstract readStretch(): CursorRead;

  /**
   * Where the next read begins, if others may read the same from there; undefined when it is to tell of a gap first, or
   * has nothing to read there.
   */
  abstract get sharedPlace(): number | undefined;

  /**
   * Goes on at `next`, which may be another place than where it was, and tells what may be missing.
   * @returns the gap, if there is one
   */
  abstract moveTo(next: number, reason: GapReason, epoch?: string): Gap | undefined;

  // What only one that reads a log for itself has: see EventCursor.

  /** The next index to read is in the log alone. */
  get isInLog(): boolean {
    return false;
  }

  /** A {@link fetch} is under way that will bring what comes next. */
  get isFetching(): boolean {
    return false;
  }

  /** Fetches the next chunk from the log. Call it after a read gave `fetch`, and while none is under way. */
  async fetch(): Promise<void> {}

  /** Lets go of the log. */
  stopReading(): void {}

  // What only one that reads the state has: see StateCursor.

  /** Which state it reads, in a word; undefined for a reader of events, and as long as the state is not here. */
  get mark(): string | undefined {
    return undefined;
  }

  /** The part of it that whoever resumes has to say, where the same request may be shown another state. */
  get neededView(): string | undefined {
    return undefined;
  }

  /**
   * Removals up to this position are not told to it: it is 0 for a reader of events, and undefined as long as the state
   * is not here.
   */
  get floor(): number | undefined {
    return 0;
  }

  /** How many events were superseded before it came to them. */
  get skipped(): number {
    return 0;
  }

  /** It parts from others, with whom it had all there is. */
  part(): void {}

  /** That its state is current was read, and could not be told: the next read tells it. */
  returnCurrent(): void {}

  /** Other rights count from here on. */
  protected turned(): void {}

  /** Goes past what another reader has read for it. */
  passTo(position: number): void {
    this.stopReading();
    this.position = position;
  }

  /** What another reader has read from `start` on, if this one may have it as it is: it is past it then. */
  takeSlice(format: StreamFormat, start: number): Slice | undefined {
    const slice = this.#interest.slices.find(format, start);
    // One that was made by a reader with more rights, or before this one's were in question.
    if (slice === undefined || slice.end - 1 > this.end) return undefined;
    // Of a state: one that leaves out removals that this one has to be told of, or was made before this one's floor and
    // may hold what was removed up to it.
    const { floor = 0 } = this;
    if (slice.floor > floor || slice.head < floor) return undefined;
    this.passTo(slice.end);
    return slice;
  }

  /** Offers what it has read from there on to others. */
  shareSlice(slice: Pick<Slice, 'format' | 'start' | 'bytes' | 'isFull'>): void {
    const { floor = 0, position: end } = this;
    this.#interest.slices.keep({ ...slice, end, floor, head: this.backlog.buffer.head });
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
      this.turn();
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
    return this.position > this.#endFor(this.#lastLimit);
  }

  /** Its rights wait to be confirmed: a fence, and not just the end of a stretch. */
  get isFenced(): boolean {
    return this.#lastLimit !== Infinity;
  }

  /** Nothing that matches was published since the position. */
  get isAtHead(): boolean {
    return this.position > this.backlog.buffer.head || this.#interest.nextMatch(this.position) === Infinity;
  }

  /** A gap is to be told before the next part. */
  get hasGap(): boolean {
    return this.#gap !== undefined;
  }

  /**
   * Newest index that was passed. What a gap covers was not, until it is told: a reader that resumes from here must
   * hear of it.
   */
  get passed(): number {
    const { buffer } = this.backlog;
    if (this.#gap !== undefined) return Math.min(this.#gap.from, buffer.indexAt(this.position)) - 1;
    return buffer.passedAt(this.#reached);
  }

  /** The next matching part, the gap before it, or why there is neither. */
  read(): CursorRead {
    for (;;) {
      const read = this.readStretch();
      if (read !== waitForMore || !this.turn()) return read;
    }
  }

  /** A gap that was read and could not be told: the next read tells it. */
  returnGap(gap: Gap | undefined): void {
    this.#gap = this.#gap ? joinGaps(gap, this.#gap) : gap;
  }

  /** Takes the position of a reader that has missed nothing up to the head, where it is one. */
  advanceToReached(): void {
    this.position = this.#reached + 1;
  }

  /** With the rights that came last. */
  get #lastLimit(): number {
    return this.#later?.at(-1)?.limit ?? this.limit;
  }

  #endFor(limit: number): number {
    const { buffer } = this.backlog;
    return this.#run === buffer.run ? Math.min(buffer.head, limit) : 0;
  }

  /** Goes on with the rights that came next, when all before the change was read. @returns whether it did */
  protected turn(): boolean {
    const next = this.position > this.limit ? this.#later?.shift() : undefined;
    if (next === undefined) return false;
    this.#giveBack(this.#interest);
    this.#interest = next.interest;
    this.limit = next.limit;
    this.turns++;
    this.turned();
    return true;
  }

  /** Skips what was to be read with rights that other ones have followed since. */
  protected turnToLast(): void {
    for (let later = this.#later?.shift(); later !== undefined; later = this.#later?.shift()) {
      this.#giveBack(this.#interest);
      this.#interest = later.interest;
      this.limit = later.limit;
    }
  }

  /** The position is of the run that the buffer is in now. */
  protected get isInRun(): boolean {
    return this.#run === this.backlog.buffer.run;
  }

  protected enterRun(): void {
    this.#run = this.backlog.buffer.run;
  }

  /** Is to be told before the next part. @param gap in indexes */
  protected addGap(gap: Gap): Gap {
    return (this.#gap = joinGaps(this.#gap, gap));
  }

  #giveBack(interest: Interest): void {
    if (!this.#isDisowned) this.backlog.interests.release(interest);
  }

  /** A reader at the head has passed all that does not match. */
  get #reached(): number {
    const before = this.position - 1;
    return this.limit === Infinity && this.isAtHead ? Math.max(before, this.backlog.buffer.head) : before;
  }

  protected gapOr<R>(otherwise: R): { readonly kind: 'gap'; readonly gap: Gap } | R {
    const gap = this.#gap;
    if (gap === undefined) return otherwise;
    this.#gap = undefined;
    return { kind: 'gap', gap };
  }
}
