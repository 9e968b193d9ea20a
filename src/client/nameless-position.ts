import type { Event, EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import { NamelessBatches } from './nameless-batches.ts';
import { type Place, type Position, ReadPosition } from './read-position.ts';

/** Where a reader is whose server may be one that names no epoch: see {@link NamelessBatches}. */
export class NamelessPosition extends ReadPosition {
  readonly #batches: NamelessBatches;

  constructor(place: Place) {
    super(place);
    this.#batches = new NamelessBatches(place.seen);
  }

  override get next(): Position {
    const { seen } = this.#batches;
    return { ...super.next, ...(seen.length && { seen }) };
  }

  override opened(epoch: string | undefined): void {
    this.#batches.opened();
    super.opened(epoch);
  }

  override untold(index: number, events: readonly Event[]): Gap | undefined {
    const last = this.next.index;
    return this.isNameless && last && last !== 'latest' ? this.#batches.untold(last, index, events) : undefined;
  }

  override batch(index: number, events: readonly Event[], appended?: number): EventBatch | undefined {
    if (!this.isNameless) return super.batch(index, events, appended);
    if (this.#batches.isRepeat(this.next.index, index, events)) return undefined;
    this.moveTo(index, undefined, 0);
    return this.withGap({ index, events });
  }

  protected override moveTo(index: number, epoch: string | undefined, appended: number): void {
    super.moveTo(index, epoch, appended);
    if (!this.isNameless) this.#batches.forget();
  }
}
