import type { Interest } from '../matching/interest.ts';
import { isRestart, type Gap, type GapReason } from '../../model/gap.ts';
import { Cursor, waitForMore, type Backlog, type CursorRead, type CursorStart } from './cursor.ts';
import { anewGap } from './state-gap.ts';
import { markText, staleMark } from './state-mark.ts';
import { StateReading, type StateStart } from './state-reading.ts';

/**
 * Reads the state: of what is retained, the newest of each key. It never falls off, and what is behind it is the same
 * as what a newcomer reads.
 *
 * Where what it holds may be wrong and nobody can say by how much (a removal is not remembered, other rights show
 * another state, the indexes begin anew), its state begins anew, with a gap that says so.
 */
export class StateCursor extends Cursor {
  readonly #state: StateReading;
  /**
   * What the reader holds counts no more, and nothing of the state that does was read: there is no place to resume
   * from.
   */
  #isStale: boolean;
  /** The state begins anew, and was not here when the gap was made: the gap says its mark once it is. */
  #isMarkDue = false;

  constructor(backlog: Backlog, interest: Interest, start: CursorStart & { readonly state: StateStart }) {
    super(backlog, interest, start);
    this.#state = new StateReading(backlog, interest, start.state);
    this.#isStale = start.gap !== undefined && isRestart(start.gap);
  }

  override get passed(): number {
    return this.#isStale ? 0 : super.passed;
  }

  /** Nor while it is stale: what it passed before means nothing, and what comes may be older. */
  override get hasGap(): boolean {
    return this.#isStale || super.hasGap;
  }

  override passTo(position: number): void {
    super.passTo(position);
    this.#isStale = false;
  }

  override get sharedPlace(): number | undefined {
    const isOwn = !this.#isReady || super.hasGap || this.position > this.end;
    if (isOwn || this.#state.hasLostSince(this.position - 1) || !this.#state.isSharedFrom(this.position))
      return undefined;
    return this.position;
  }

  /** The whole state is read again: with the rights that came last, since those before show what counts no more. */
  override moveTo(_next: number, reason: GapReason, epoch?: string): Gap {
    const isOther = !this.isInRun;
    this.turnToLast();
    this.enterRun();
    this.#state.restart(this.interest);
    if (isOther) this.#state.readPlainFrom(this.backlog.buffer.first);
    this.position = 1;
    this.#isStale = true;
    return this.#addAnewGap(reason, epoch);
  }

  /**
   * Without its mark a reader would resume with that of what it read before: of removals that counted for that it would
   * not be told.
   */
  #addAnewGap(reason: GapReason, epoch?: string): Gap {
    const mark = this.#ownMark;
    this.#isMarkDue = mark === undefined;
    const about = { ...(epoch !== undefined && { epoch }), ...(mark !== undefined && { mark }) };
    return this.addGap(anewGap(this.backlog, reason, about));
  }

  override get floor(): number | undefined {
    return this.#isReady ? this.#state.floor : undefined;
  }

  override get mark(): string | undefined {
    return this.#isStale ? staleMark : this.#ownMark;
  }

  /** Of the state that it reads, whether or not something of that was read. */
  get #ownMark(): string | undefined {
    const { floor } = this;
    if (floor === undefined) return undefined;
    return markText({ view: this.interest.view, since: this.backlog.buffer.indexAt(floor) });
  }

  override get neededView(): string | undefined {
    return this.#state.needsMark ? this.interest.view : undefined;
  }

  override get skipped(): number {
    return this.#state.skipped;
  }

  override part(): void {
    this.#state.count();
  }

  override returnCurrent(): void {
    this.#state.returnCurrent();
  }

  /** What it may not see any more, or could not see before, is told as a state that begins anew. */
  protected override turned(): void {
    this.moveTo(1, 'state');
  }

  protected override readStretch(): CursorRead {
    if (!this.#isReady) return waitForMore;
    if (this.#isMarkDue) this.#addAnewGap('state');
    if (this.#state.hasLostSince(this.position - 1)) this.moveTo(1, 'state');
    this.#addGapIn(this.#state.takePlainGap(this.position));
    if (super.hasGap) return this.gapOr(waitForMore);
    const { end } = this;
    const next = this.position <= end ? this.#state.next(this.position, end) : undefined;
    if (typeof next === 'number') {
      this.position = next + 1;
      this.#addGapIn({ from: next, to: next, reason: 'trimmed' });
      return this.gapOr(waitForMore);
    }
    if (next === undefined) return this.#readEnd();
    this.passTo(next.position + 1);
    return next;
  }

  #readEnd(): CursorRead {
    const { buffer } = this.backlog;
    this.position = Math.max(this.position, this.end + 1);
    if (this.limit !== Infinity) return waitForMore;
    this.#isStale = false;
    this.#state.settle();
    return this.#state.tellCurrent() ? { kind: 'current', index: buffer.latestIndex } : waitForMore;
  }

  /** The state is here, and of the run of indexes that its reader was told of. */
  get #isReady(): boolean {
    return this.#state.isReady && this.isInRun;
  }

  /** @param gap between positions */
  #addGapIn(gap: Gap | undefined): void {
    const told = this.backlog.buffer.inIndexes(gap);
    if (told !== undefined) this.addGap(told);
  }
}
