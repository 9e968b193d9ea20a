import type { EventBatch, ObjectKey } from '../model/event.ts';
import { type Gap, isRestart } from '../model/gap.ts';
import { nameless, type Place, type Position, ReadPosition } from './read-position.ts';
import { indexOf, isObject, type Line, malformed, textOf, type Wire } from './wire.ts';

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

  override take(line: Line, tell: (gap: Gap) => boolean): EventBatch | boolean {
    const { gap, batch, index, epoch } = line;
    if (gap) return this.#takeGap(gap, line, tell);
    const { current, removed, mark = this.#nextMark } = readState(line.wire);
    if (batch) {
      const taken = super.take(line, tell);
      return typeof taken === 'object' && removed ? { ...taken, removed } : taken;
    }
    // It counts as soon as something of the state is here.
    this.#nextMark = mark;
    if (current !== undefined) return this.#current(current);
    // At index 0 nothing of the state has passed yet: whoever comes back now asks for all of it again.
    if (index !== 0 || mark === undefined) return super.take(line, tell);
    this.named(epoch);
    return false;
  }

  protected override refuseNameless(): void {
    if (this.isNameless) throw nameless('which keeps no state.');
  }

  protected override moveTo(index: number, epoch: string | undefined, appended: number): void {
    super.moveTo(index, epoch, appended);
    this.#mark = this.#nextMark ?? this.#mark;
    this.#nextMark = undefined;
  }

  /** After one that is no restart, what is retained of its indexes still comes. */
  #takeGap(gap: Gap, line: Line, tell: (gap: Gap) => boolean): EventBatch | boolean {
    if (isRestart(gap)) {
      this.#isCurrent = false;
      this.#nextMark = gap.mark ?? this.#nextMark;
    } else if (this.#mark !== undefined || this.#nextMark !== undefined) {
      this.named(gap.epoch);
      if (!tell(gap)) this.hold(gap);
      return false;
    }
    return super.take(line, tell);
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

/** What a line says of the state. */
interface StateLine {
  /** Which state the stream holds. */
  readonly mark?: string;
  /** The state is complete, and current at this index. */
  readonly current?: number;
  /** Of a batch: the objects that are no longer the reader's own. */
  readonly removed?: readonly ObjectKey[];
}

/** @throws StreamError `malformed` */
export function readState({ Current, Removed, Mark }: Wire): StateLine {
  return {
    ...(isObject(Current) && { current: indexOf(Current.Index) }),
    ...(Array.isArray(Removed) && { removed: Removed.map(objectOf) }),
    ...(typeof Mark === 'string' && Mark && { mark: Mark }),
  };
}

function objectOf(wire: unknown): ObjectKey {
  if (!isObject(wire)) throw malformed();
  return { topic: textOf(wire.Topic), namespace: textOf(wire.Namespace), key: textOf(wire.Key) };
}
