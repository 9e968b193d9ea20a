import type { EventBatch } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';
import { NamelessBatches } from './nameless-batches.ts';
import { nameless, type Place, type Position, ReadPosition } from './read-position.ts';
import type { Line } from './wire.ts';

/** Where a reader is whose server may be one that names no epoch: see {@link NamelessBatches}. */
export class NamelessPosition extends ReadPosition {
  readonly #query: URLSearchParams;
  readonly #isOpen: () => boolean;
  readonly #batches: NamelessBatches;

  /**
   * @param query what is asked for
   * @param isOpen whether anybody still reads
   */
  constructor(place: Place, query: URLSearchParams, isOpen: () => boolean) {
    super(place);
    this.#query = query;
    this.#isOpen = isOpen;
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

  override take(line: Line, tell: (gap: Gap) => boolean): EventBatch | boolean {
    const { batch } = line;
    if (!batch || !this.isNameless) return super.take(line, tell);
    this.refuseNameless();
    const last = this.next.index;
    const gap = last && last !== 'latest' ? this.#batches.untold(last, batch.index, batch.events) : undefined;
    if (gap && !tell(gap)) this.hold(gap);
    // Who was told may have closed the stream; what is not handed over must not move the position.
    if (!this.#isOpen() || this.#batches.isRepeat(last, batch.index, batch.events)) return false;
    this.moveTo(batch.index, undefined, 0);
    return this.withGap(batch);
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
