import { BATCH_END, type ByteLedger, type EncodedEvent, type EventOwner } from './encoded-event.ts';
import type { EventBatch } from '../../model/event.ts';

/** The events of one batch that one interest matches, encoded once for all who share it. Immutable. */
export class BatchPart {
  readonly index: number;
  /** Its place in the order: the index, but where a host gave one index to several batches. Readers go by this. */
  readonly position: number;
  readonly events: readonly EncodedEvent[];
  #batch: EventBatch | undefined;

  constructor(index: number, events: readonly EncodedEvent[], position = index) {
    this.index = index;
    this.position = position;
    this.events = events;
  }

  /** Tells it apart from the other things that a read can give. */
  get kind(): 'part' {
    return 'part';
  }

  /**
   * The wire's line for it, with its newline. One of several events is put together from theirs; kept with each part,
   * it would be past all bounds.
   */
  get line(): string {
    const [first, second] = this.events;
    if (first && !second) return first.line;
    return lineOf(this.index, this.events, BATCH_END);
  }

  /** What in-process readers get: one frozen object for all. */
  get batch(): EventBatch {
    return (this.#batch ??= Object.freeze({
      index: this.index,
      events: Object.freeze(this.events.map((event) => event.event)),
    }));
  }
}

/** A batch, its list, and the part that was asked for last. */
const BATCH_BYTES = 200;
/** An event's place in the lists. */
const PLACE_BYTES = 24;

/**
 * One published batch, and the {@link BatchPart} that is all of it; its events get its index. Any other subset of its
 * events is a part that is made when asked for. The last one is kept, since its readers ask one after the other; kept
 * all, the parts of many filters would take more than the batch.
 */
export class EncodedBatch extends BatchPart implements EventOwner {
  #bytes: number;
  /** Of whoever holds it. */
  #ledger: ByteLedger | undefined;
  #lastPart: BatchPart | undefined;

  constructor(index: number, events: readonly EncodedEvent[], position = index) {
    super(index, events, position);
    let bytes = BATCH_BYTES + PLACE_BYTES * events.length;
    for (const event of events) {
      event.joinBatch(this);
      bytes += event.bytes;
    }
    this.#bytes = bytes;
  }

  /** Its number, where it was appended to an index that had a batch already; else 0. */
  get appended(): number {
    return 0;
  }

  /** It stands for a record that cannot be read. */
  get isUnreadable(): boolean {
    return false;
  }

  /** About how much memory it takes now, with all that readers made it make. */
  get bytes(): number {
    return this.#bytes;
  }

  /** From now on it counts there, also as it grows. */
  countIn(ledger: ByteLedger): void {
    this.#ledger = ledger;
    ledger.bytes += this.#bytes;
  }

  /** It is held no more. */
  countOut(): void {
    if (this.#ledger) this.#ledger.bytes -= this.#bytes;
    this.#ledger = undefined;
    for (const event of this.events) event.leaveBatch();
  }

  grow(bytes: number): void {
    this.#bytes += bytes;
    if (this.#ledger) this.#ledger.bytes += bytes;
  }

  /**
   * The part that holds the events at these positions.
   * @param positions rising, at least one
   */
  part(positions: readonly number[]): BatchPart {
    if (positions.length === this.events.length) return this;
    if (this.#lastPart !== undefined && this.#hasAt(positions, this.#lastPart.events)) return this.#lastPart;
    return (this.#lastPart = this.partOf(positions.map((position) => this.events[position] as EncodedEvent)));
  }

  protected partOf(events: readonly EncodedEvent[]): BatchPart {
    return new BatchPart(this.index, events, this.position);
  }

  #hasAt(positions: readonly number[], events: readonly EncodedEvent[]): boolean {
    return positions.length === events.length && positions.every((position, i) => this.events[position] === events[i]);
  }
}

/**
 * A further batch of an index that has one already. Its line says its number, so that a client which resumes knows how
 * many of them it has had.
 */
export class AppendedBatch extends EncodedBatch {
  readonly #number: number;

  constructor(index: number, events: readonly EncodedEvent[], position: number, number: number) {
    super(index, events, position);
    this.#number = number;
  }

  override get appended(): number {
    return this.#number;
  }

  override get line(): string {
    return appendedLine(this, this.#number);
  }

  protected override partOf(events: readonly EncodedEvent[]): BatchPart {
    return new AppendedPart(this.index, events, this.position, this.#number);
  }
}

class AppendedPart extends BatchPart {
  readonly #number: number;

  constructor(index: number, events: readonly EncodedEvent[], position: number, number: number) {
    super(index, events, position);
    this.#number = number;
  }

  override get line(): string {
    return appendedLine(this, this.#number);
  }
}

const appendedLine = ({ index, events }: BatchPart, number: number): string =>
  lineOf(index, events, `]${appendedText(number)}}\n`);

/** The member that says a batch's number, where it was appended to an index; nothing for 0. */
export const appendedText = (number: number): string => (number === 0 ? '' : `,"Appended":${number}`);

/** @param end what stands behind the last event */
export function lineOf(index: number, events: readonly EncodedEvent[], end: string): string {
  return `{"Index":${index},"Events":[${events.map(({ json }) => json).join(',')}${end}`;
}

/**
 * In place of a record that cannot be read: it is not ours, or damaged. It has an index, and may have held anything:
 * every reader that comes past it is told of a gap.
 */
export class UnreadableBatch extends EncodedBatch {
  constructor(index: number) {
    super(index, []);
  }

  override get isUnreadable(): boolean {
    return true;
  }
}
