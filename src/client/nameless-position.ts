import type { Event, EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import { NamelessBatches } from './nameless-batches.ts';
import { nameless, type Place, type Position, ReadPosition } from './read-position.ts';

/** Where a reader is whose server may be one that names no epoch: see {@link NamelessBatches}. */
export class NamelessPosition extends ReadPosition {
  readonly #query: URLSearchParams;
  readonly #batches: NamelessBatches;

  /** @param query what is asked for */
  constructor(place: Place, query: URLSearchParams) {
    super(place);
    this.#query = query;
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
    this.refuseNameless();
    const last = this.next.index;
    return this.isNameless && last && last !== 'latest' ? this.#batches.untold(last, index, events) : undefined;
  }

  override batch(index: number, events: readonly Event[], appended?: number): EventBatch | undefined {
    if (!this.isNameless) return super.batch(index, events, appended);
    if (this.#batches.isRepeat(this.next.index, index, events)) return undefined;
    this.moveTo(index, undefined, 0);
    return this.withGap({ index, events });
  }

  /** Nomad takes the first of several namespaces without telling anybody. */
  protected override refuseNameless(): void {
    const namespaces = this.#query.getAll('namespace');
    if (this.isNameless && namespaces.length > 1)
      throw nameless("which takes only the first of several namespaces. Open a stream for each, or one for '*'.");
  }

  protected override moveTo(index: number, epoch: string | undefined, appended: number): void {
    super.moveTo(index, epoch, appended);
    if (!this.isNameless) this.#batches.forget();
  }
}
