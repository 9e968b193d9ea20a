import type { Event } from '../model/event.ts';
import type { Gap } from '../model/gap.ts';

/**
 * What was read of a server that names no epoch (Nomad's). It tells no gap, and has several batches for one index. So
 * it is asked from the last index on: whether it still has what was handed over last shows whether anything is missing
 * after it.
 */
export class NamelessBatches {
  #seen: readonly string[];
  /** What of `#seen` this connection has not repeated. */
  #repeats: string[] = [];
  /** No batch came on this connection. */
  #isFresh = true;

  constructor(seen: readonly string[] = []) {
    this.#seen = seen;
  }

  /** Marks of the batches with the last index that were handed over. */
  get seen(): readonly string[] {
    return this.#seen;
  }

  /** A connection is open. */
  opened(): void {
    this.#isFresh = true;
    this.#repeats = [...this.#seen];
  }

  /** A server that names its epoch has passed this index: what was marked says nothing more. */
  forget(): void {
    this.#seen = [];
  }

  /**
   * What may be missing before this batch: nothing, where the last index comes again as the reader knows it. Else both
   * ends belong to the gap: the last index may have had more batches than were handed over, and of this one's index the
   * first may be gone with what was before them.
   */
  untold(last: number, index: number, events: readonly Event[]): Gap | undefined {
    const isKnown = !this.#isFresh || this.#repeats.length === 0 || this.#repeats.includes(markOf(events));
    if (index < last || (index === last && !isKnown)) return { from: 1, to: last, reason: 'restarted' };
    return this.#isFresh && index > last ? { from: last, to: index, reason: 'trimmed' } : undefined;
  }

  /** Whether this was handed over on an earlier connection. If not, it counts as handed over from now on. */
  isRepeat(last: number | 'latest', index: number, events: readonly Event[]): boolean {
    const mark = markOf(events);
    this.#isFresh = false;
    // Past the index that was asked for, nothing is a repeat, also not what looks like one.
    if (index !== last) this.#repeats = this.#seen = [];
    const at = this.#repeats.indexOf(mark);
    if (at >= 0) return this.#repeats.splice(at, 1).length > 0;
    this.#seen = [...this.#seen, mark];
    return false;
  }
}

/**
 * Tells apart the batches of one index: a hash of which objects changed, and how long the whole is. Not of the whole
 * itself, since Nomad writes the members of a payload in another order each time.
 */
function markOf(events: readonly Event[]): string {
  const what = events.map(({ topic, type, key, namespace }) => [topic, type, key, namespace]);
  let hash = 0;
  for (const letter of JSON.stringify(what)) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
  // The option `parse` may have made bigints.
  const text = JSON.stringify(events, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return `${hash}:${text.length}`;
}
