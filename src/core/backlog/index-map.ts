import { lowerBound } from '../../model/lower-bound.ts';

interface Appended {
  readonly position: number;
  readonly index: number;
}

/** So many appended batches are remembered, beyond those that are held. */
const MAX_REMEMBERED = 8192;

/**
 * Maps positions, which no two batches share, to indexes, which a host may give to several batches in a row: it mirrors
 * a source that writes several lines with one index. Where none was appended the two are the same number, and nothing
 * is kept.
 */
export class IndexMap {
  /** Appended batches, oldest first; each moves all positions after it by one. */
  readonly #appended: Appended[] = [];
  /** How many are remembered no more: below this position an index is known between two bounds alone. */
  #forgotten = 0;
  #knownFrom = 0;

  /** A batch at this position has the index of the one before it. */
  append(position: number, index: number): void {
    this.#appended.push({ position, index });
  }

  /** The index of what is, or was, at a position; where that is forgotten, the lowest that it can be. */
  indexAt(position: number): number {
    const moved = lowerBound(0, this.#appended.length, (i) => (this.#appended[i] as Appended).position <= position);
    return Math.max(0, position - this.#forgotten - moved);
  }

  /** As {@link indexAt}; where that is forgotten, the highest that it can be. */
  highestIndexAt(position: number): number {
    return position < this.#knownFrom ? Math.min(position, this.indexAt(this.#knownFrom)) : this.indexAt(position);
  }

  /** Newest index of which nothing follows after this position. */
  passedAt(position: number): number {
    const index = this.indexAt(position);
    return this.indexAt(position + 1) === index ? index - 1 : index;
  }

  /**
   * Where a reader goes on that has handled what came before `index`. Whether it has handled all of the index before,
   * nobody knows where some of it was appended: that is repeated. Where that is forgotten, the lowest position that it
   * can be.
   */
  positionOf(index: number): number {
    if (index < this.indexAt(this.#knownFrom)) return index;
    const before = lowerBound(0, this.#appended.length, (i) => (this.#appended[i] as Appended).index < index - 1);
    return index + this.#forgotten + before;
  }

  /** What is at this position and before it is held no more, and may be forgotten. */
  trimmed(position: number): void {
    if (this.#appended.length <= MAX_REMEMBERED) return;
    const trimmed = lowerBound(0, this.#appended.length, (i) => (this.#appended[i] as Appended).position <= position);
    const forgotten = this.#appended.splice(0, Math.min(trimmed, MAX_REMEMBERED / 2));
    this.#forgotten += forgotten.length;
    this.#knownFrom = (forgotten.at(-1)?.position ?? this.#knownFrom - 1) + 1;
  }
}
