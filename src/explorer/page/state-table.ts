/// <reference lib="dom" />
import type { Event } from '../../client/index.ts';
import { element, setText } from './element.ts';
import type { Entry } from './entry.ts';
import { MAX_ROWS } from './event-table.ts';
import type { ObjectState, StateObject } from './object-state.ts';
import type { Rows } from './rows.ts';

/** How long a row that changed is marked, in ms. */
const MARKED_MS = 900;

/** Who is told of the object whose payload is open. */
export interface OpenObject {
  changed(object: StateObject): void;
  removed(): void;
}

/** The state as a table with a row for each object, which stays in its place: its newest event is written into it. */
export class StateTable {
  readonly #state: ObjectState;
  readonly #rows: Rows;
  readonly #open: OpenObject;
  readonly #rest = element('rest', HTMLElement);
  readonly #rowOf = new Map<string, HTMLTableRowElement>();
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #accepts: (event: Event) => boolean = () => true;
  #isStale = false;

  constructor(state: ObjectState, rows: Rows, open: OpenObject) {
    this.#state = state;
    this.#rows = rows;
    this.#open = open;
  }

  /** From the next painting on it shows the objects whose newest event passes. */
  accept(accepts: (event: Event) => boolean): void {
    this.#accepts = accepts;
    this.clear();
  }

  clear(): void {
    this.#rows.clear();
    this.#rowOf.clear();
    this.#isStale = true;
    this.#rest.hidden = true;
  }

  /** What passes, in order, whether there is a row for it or not. */
  get passing(): readonly Entry[] {
    return this.#passing().map(({ at, event }) => ({ kind: 'event', at, event }));
  }

  #passing(): readonly StateObject[] {
    return [...this.#state].filter(({ event }) => this.#accepts(event));
  }

  /** Cost: a look at each object that is held, where any has changed, and at most {@link MAX_ROWS} rows. */
  paint(): void {
    if (this.#rows.isPressed) return;
    const changed = this.#state.takeChanged();
    if (changed.size === 0 && !this.#isStale) return;
    this.#isStale = false;
    const passing = this.#passing();
    const shown = passing.slice(0, MAX_ROWS);
    this.#rows.change(() => {
      this.#removeOthers(new Set(shown.map(({ id }) => id)));
      for (const [place, object] of shown.entries()) this.#show(object, place, changed);
    });
    this.#tellRest(passing.length);
  }

  #removeOthers(shown: ReadonlySet<string>): void {
    for (const [id, row] of this.#rowOf) {
      if (shown.has(id)) continue;
      this.#rowOf.delete(id);
      if (this.#rows.remove(row)) this.#open.removed();
    }
  }

  #show(object: StateObject, place: number, changed: ReadonlySet<string>): void {
    const { id, at, event } = object;
    const row = this.#rowOf.get(id);
    if (row === undefined) {
      const made = this.#rows.make({ kind: 'event', at, event });
      this.#rowOf.set(id, made);
      this.#rows.insert(made, place);
    } else if (changed.has(id)) {
      if (this.#rows.update(row, { kind: 'event', at, event })) this.#open.changed(object);
      this.#mark(row);
    }
  }

  /** A change in place is easily missed. */
  #mark(row: HTMLElement): void {
    if (!this.#calm.matches) row.animate({ backgroundColor: ['var(--open)', 'transparent'] }, MARKED_MS);
  }

  #tellRest(passing: number): void {
    const held = this.#state.isPartial
      ? ` There are more than this page holds (${this.#state.size.toLocaleString()}).`
      : '';
    const shown = passing > MAX_ROWS ? ` The first ${MAX_ROWS} of ${passing.toLocaleString()} are shown.` : '';
    this.#rest.hidden = held === '' && shown === '';
    setText(this.#rest, `Not all objects are here.${held}${shown} Narrow the filters to see the others.`);
  }
}
