import type { EncodedEvent } from './encoded-event.ts';
import type { EventBatch } from '../../model/event.ts';

/** The events of one batch that one interest matches, encoded once for all who share it. Immutable. */
export class BatchPart {
  readonly index: number;
  readonly events: readonly EncodedEvent[];
  #batch: EventBatch | undefined;

  constructor(index: number, events: readonly EncodedEvent[]) {
    this.index = index;
    this.events = events;
  }

  /**
   * The wire's line for it, with its newline. One of several events is put together from theirs; kept with each part,
   * it would be past all bounds.
   */
  get line(): string {
    const [first, second] = this.events;
    if (first && !second) return first.line;
    return `{"Index":${this.index},"Events":[${this.events.map(({ json }) => json).join(',')}]}\n`;
  }

  /** What in-process readers get: one frozen object for all. */
  get batch(): EventBatch {
    return (this.#batch ??= Object.freeze({
      index: this.index,
      events: Object.freeze(this.events.map((event) => event.event)),
    }));
  }
}

/**
 * One published batch, and the {@link BatchPart} that is all of it; its events get its index. Each other subset of its
 * events is a part that exists once.
 */
export class EncodedBatch extends BatchPart {
  /** About how many bytes it holds. */
  readonly bytes: number;
  #parts: Map<string, BatchPart> | undefined;

  constructor(index: number, events: readonly EncodedEvent[]) {
    super(index, events);
    let bytes = 0;
    for (const event of events) {
      event.index = index;
      bytes += event.bytes;
    }
    this.bytes = bytes;
  }

  /**
   * The part that holds the events at these positions.
   * @param positions rising, at least one
   */
  part(positions: readonly number[]): BatchPart {
    if (positions.length === this.events.length) return this;
    const name = positions.join();
    const known = this.#parts?.get(name);
    if (known) return known;
    const part = new BatchPart(
      this.index,
      this.events.filter((_, i) => positions.includes(i)),
    );
    (this.#parts ??= new Map()).set(name, part);
    return part;
  }
}
