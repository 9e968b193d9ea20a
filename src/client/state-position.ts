import type { Event, EventBatch, ObjectKey } from '../model/event.ts';
import { type Gap, isRestart } from '../model/gap.ts';
import { nameless, type Place, type Position, ReadPosition } from './read-position.ts';
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
    const { current, epoch, index, mark = this.#nextMark } = line;
    this.#nextMark = mark;
    if (current !== undefined) return this.#current(current);
    // At index 0 nothing of the state has passed yet: whoever comes back now asks for all of it again.
    if (index !== 0 || mark === undefined) return super.heartbeat(line);
    this.named(epoch);
    return false;
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

  /** After one that is no restart, what is retained of its indexes still comes. */
  override gap(gap: Gap, isTold: boolean): void {
    if (isRestart(gap)) {
      this.#isCurrent = false;
      this.#nextMark = gap.mark ?? this.#nextMark;
    } else if (this.#mark !== undefined || this.#nextMark !== undefined) {
      this.named(gap.epoch);
      if (!isTold) this.hold(gap);
      return;
    }
    super.gap(gap, isTold);
  }

  protected override refuseNameless(): void {
    if (this.isNameless) throw nameless('which keeps no state.');
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
