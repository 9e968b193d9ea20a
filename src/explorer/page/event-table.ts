import type { Event } from '../../client/index.ts';
import type { Entry } from './entry.ts';
import type { Ring } from './ring.ts';
import type { Rows } from './rows.ts';

/** More rows than this nobody scrolls through, and each costs layout. */
export const MAX_ROWS = 500;

/**
 * The newest entries that pass a filter, newest on top. It paints what came since it last painted, at once; rows once
 * made are only ever removed, so focus and selection stay with the entry they are on.
 */
export class EventTable {
  readonly #entries: Ring<Entry>;
  readonly #rows: Rows;
  #accepts: (event: Event) => boolean = () => true;
  #painted = 0;

  constructor(entries: Ring<Entry>, rows: Rows) {
    this.#entries = entries;
    this.#rows = rows;
  }

  /** From the next painting on it shows the held events that pass, and nothing of what it shows now. */
  accept(accepts: (event: Event) => boolean): void {
    this.#accepts = accepts;
    this.clear();
  }

  clear(): void {
    this.#rows.clear();
    this.#painted = 0;
  }

  /** What passes of what is held, the oldest first, whether there is a row for it or not. */
  get passing(): readonly Entry[] {
    return [...this.#entries.newestFirst()].filter((entry) => this.#passes(entry)).toReversed();
  }

  /** Cost: the new rows, at most {@link MAX_ROWS}. */
  paint(): void {
    if (this.#rows.isPressed) return;
    const rows: HTMLElement[] = [];
    for (const entry of this.#entries.newestFirst(this.#painted)) {
      if (rows.length === MAX_ROWS) break;
      if (this.#passes(entry)) rows.push(this.#rows.make(entry));
    }
    this.#painted = this.#entries.pushed;
    if (rows.length > 0) this.#rows.change(() => this.#prepend(rows));
  }

  /** Gaps and troubles are shown whatever is filtered. */
  #passes(entry: Entry): boolean {
    return entry.kind !== 'event' || this.#accepts(entry.event);
  }

  #prepend(rows: readonly HTMLElement[]): void {
    this.#rows.prepend(rows);
    while (this.#rows.count > MAX_ROWS) this.#rows.removeLast();
  }
}
