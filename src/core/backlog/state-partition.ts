import { PositionList } from '../matching/position-list.ts';
import type { StateEntry } from './state-entry.ts';

/** What is retained of one topic in one namespace. */
export class StatePartition {
  readonly byKey = new Map<string, StateEntry>();
  readonly list = new PositionList<StateEntry>();
  /** Some event could be asked for by another key than its own, ever since the partition was made. */
  hasFilterKeys = false;
}

/** A part of what is retained, in the order of positions. */
export interface StateSource {
  /** Position of the first entry from `position` on that passes; Infinity when there is none. */
  next(position: number, passes: (entry: StateEntry) => boolean): number;
  /** What stands at a position. */
  at(position: number): Iterable<StateEntry>;
}

/** All entries of a list. */
export class ListSource implements StateSource {
  readonly #list: PositionList<StateEntry>;

  constructor(list: PositionList<StateEntry>) {
    this.#list = list;
  }

  next(position: number, passes: (entry: StateEntry) => boolean): number {
    return this.#list.find(position, passes)?.position ?? Infinity;
  }

  at(position: number): Iterable<StateEntry> {
    return this.#list.at(position);
  }
}

/** A few keys of a partition, looked up: one of a hundred thousand costs no walk over the others. */
export class KeyedSource implements StateSource {
  readonly #partition: StatePartition;
  readonly #keys: readonly string[];

  constructor(partition: StatePartition, keys: Iterable<string>) {
    this.#partition = partition;
    this.#keys = [...keys];
  }

  next(position: number, passes: (entry: StateEntry) => boolean): number {
    let next = Infinity;
    for (const entry of this.#entries())
      if (entry.position >= position && entry.position < next && passes(entry)) next = entry.position;
    return next;
  }

  *at(position: number): Generator<StateEntry> {
    for (const entry of this.#entries()) if (entry.position === position) yield entry;
  }

  *#entries(): Generator<StateEntry> {
    for (const key of this.#keys) {
      const entry = this.#partition.byKey.get(key);
      if (entry !== undefined) yield entry;
    }
  }
}

/** Several sources as one. */
export class MergedSource implements StateSource {
  readonly #sources: readonly StateSource[];

  constructor(sources: readonly StateSource[]) {
    this.#sources = sources;
  }

  next(position: number, passes: (entry: StateEntry) => boolean): number {
    let next = Infinity;
    for (const source of this.#sources) next = Math.min(next, source.next(position, passes));
    return next;
  }

  *at(position: number): Generator<StateEntry> {
    for (const source of this.#sources) yield* source.at(position);
  }
}
