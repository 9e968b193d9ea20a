import type { EncodedBatch } from '../batch/encoded-batch.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import type { PartOrigin } from '../batch/state-part.ts';
import type { Positioned } from '../matching/position-list.ts';

/** The newest that is known of one key: an event, or the one that removed it. */
export class StateEntry implements Positioned, PartOrigin {
  readonly index: number;
  readonly position: number;
  readonly appended: number;
  /** Of its event in its batch. */
  readonly place: number;
  readonly event: EncodedEvent;
  readonly isRemoval: boolean;
  isDead = false;

  constructor({ index, position, appended, events }: EncodedBatch, place: number, isRemoval: boolean) {
    this.index = index;
    this.position = position;
    this.appended = appended;
    this.place = place;
    this.event = events[place] as EncodedEvent;
    this.isRemoval = isRemoval;
  }
}
