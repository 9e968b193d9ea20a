import type { EncodedEvent } from './encoded-event.ts';
import type { EventBatch } from './event.ts';

/** The events of one batch that one interest matches, encoded once for all who share it. Immutable. */
export class BatchPart {
  readonly index: number;
  readonly events: readonly EncodedEvent[];
  #line: string | undefined;
  #batch: EventBatch | undefined;

  constructor(index: number, events: readonly EncodedEvent[]) {
    this.index = index;
    this.events = events;
  }

  /** The wire's line for it, without the newline. */
  get line(): string {
    return (this.#line ??= `{"Index":${this.index},"Events":[${this.events.map((event) => event.json).join(',')}]}`);
  }

  /** What in-process readers get: one frozen object for all. */
  get batch(): EventBatch {
    return (this.#batch ??= Object.freeze({
      index: this.index,
      events: Object.freeze(this.events.map((event) => event.event)),
    }));
  }
}

/** One published batch, and the {@link BatchPart} that is all of it. Each other subset of its events is a part that exists once. */
export class EncodedBatch extends BatchPart {
  /** About how many bytes it holds. */
  readonly bytes: number;
  #parts: Map<string, BatchPart> | undefined;

  constructor(index: number, events: readonly EncodedEvent[]) {
    super(index, events);
    this.bytes = events.reduce((sum, event) => sum + event.bytes, 0);
  }

  /** All of it. */
  get whole(): BatchPart {
    return this;
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
