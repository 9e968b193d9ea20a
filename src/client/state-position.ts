import type { Event, EventBatch, ObjectKey } from '../model/event.ts';
import { type Gap, isRestart } from '../model/gap.ts';
import { type Place, type Position, ReadPosition } from './read-position.ts';
import type { Line } from './wire.ts';

/** Where a reader of a state is: also which state it is, and whether the reader was told that it is complete. */
export class StatePosition extends ReadPosition {
  /** Which state it reads, as the server calls it. */
  #mark: string | undefined;
  /** What counts as that once something of the state is here. */
  #nextMark: string | undefined;
  /** The state is complete: that was handed over. */
  #isCurrent = false;

  constructor(place: Place) {
    super(place);
    this.#mark = place.mark;
  }

  override get next(): Position {
    const mark = this.#mark;
    return { ...super.next, ...(mark !== undefined && { mark }) };
  }

  /** The server may say which state it sends: that counts as soon as something of it is here. */
  override heartbeat(line: Line): EventBatch | boolean {
    this.#nextMark = line.mark ?? this.#nextMark;
    return line.current === undefined ? super.heartbeat(line) : this.#current(line.current);
  }

  override batch(
    index: number,
    events: readonly Event[],
    appended?: number,
    removed?: readonly ObjectKey[],
  ): EventBatch | undefined {
    const batch = super.batch(index, events, appended);
    return batch && removed ? { ...batch, removed } : batch;
  }

  /** Nothing has passed yet while the index is 0: whoever comes back now asks for all of it again. */
  override bookmark(index: number): boolean {
    this.named();
    const isBefore = index === 0 && this.#nextMark !== undefined;
    return !isBefore && super.bookmark(index);
  }

  override gap(gap: Gap, isTold: boolean): void {
    super.gap(gap, isTold);
    if (!isRestart(gap)) return;
    this.#isCurrent = false;
    this.#nextMark = gap.mark ?? this.#nextMark;
  }

  /** What is retained of the indexes that a gap names still comes. */
  protected override pass(gap: Gap): void {
    if (this.#mark === undefined && this.#nextMark === undefined) super.pass(gap);
  }

  protected override moveTo(index: number, epoch: string | undefined, appended: number): void {
    super.moveTo(index, epoch, appended);
    this.#mark = this.#nextMark ?? this.#mark;
    this.#nextMark = undefined;
  }

  /** The state is complete at this index; false where that was said before. */
  #current(index: number): EventBatch | boolean {
    this.named();
    this.advance(index);
    if (this.#isCurrent) return false;
    this.#isCurrent = true;
    return this.withGap({ index, events: [], current: true });
  }
}
