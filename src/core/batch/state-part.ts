import type { EventBatch, ObjectKey } from '../../model/event.ts';
import { appendedText, BatchPart, lineOf } from './encoded-batch.ts';
import type { EncodedEvent } from './encoded-event.ts';

/** Which batch a part is of. */
export interface PartOrigin {
  readonly index: number;
  readonly position: number;
  /** The number of its batch, where that was appended to an index; else 0. */
  readonly appended: number;
}

/**
 * What a reader of the state gets of one batch: events that match, and the objects that are no longer its own after
 * them.
 */
export class StatePart extends BatchPart {
  readonly removed: readonly ObjectKey[];
  readonly #appended: number;
  #batchOfState: EventBatch | undefined;

  constructor(
    { index, position, appended }: PartOrigin,
    events: readonly EncodedEvent[],
    removed: readonly ObjectKey[],
  ) {
    super(index, events, position);
    this.#appended = appended;
    this.removed = removed;
  }

  override get line(): string {
    if (this.removed.length === 0 && this.#appended === 0) return super.line;
    return lineOf(this.index, this.events, `]${appendedText(this.#appended)}${this.#removedText}}\n`);
  }

  override get batch(): EventBatch {
    if (this.removed.length === 0) return super.batch;
    return (this.#batchOfState ??= Object.freeze({ ...super.batch, removed: this.removed }));
  }

  get #removedText(): string {
    if (this.removed.length === 0) return '';
    const keys = this.removed.map(({ topic, namespace, key }) => ({ Topic: topic, Namespace: namespace, Key: key }));
    return `,"Removed":${JSON.stringify(keys)}`;
  }
}

/** Which object an event is about. */
export const objectOf = ({ topic, namespace, key }: ObjectKey): ObjectKey => Object.freeze({ topic, namespace, key });

/** One text for each object, and for it alone. Logs keep records by it: another text would be another object there. */
export const objectName = ({ topic, namespace, key }: ObjectKey): string => JSON.stringify([topic, namespace, key]);
