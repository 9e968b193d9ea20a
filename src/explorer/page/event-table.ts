/// <reference lib="dom" />
import { element } from './element.ts';
import type { Entry } from './entry.ts';
import type { Ring } from './ring.ts';
import { rowOf } from './row.ts';

/** More rows than this nobody scrolls through, and each costs layout. */
const MAX_ROWS = 500;

/** Rows moved past by PageUp and PageDown. */
const PAGE_ROWS = 10;

/**
 * The newest entries that pass a filter, newest on top. It paints what came since it last painted, at once; rows once
 * made are only ever removed, so focus and selection stay with the entry they are on.
 */
export class EventTable {
  readonly #entries: Ring<Entry>;
  readonly #onOpen: (entry: Entry) => void;
  readonly #body = element('rows', HTMLTableSectionElement);
  readonly #scroller = element('scroller', HTMLElement);
  readonly #empty = element('empty', HTMLElement);
  readonly #entryOf = new WeakMap<Element, Entry>();
  #accepts: (entry: Entry) => boolean = () => true;
  #painted = 0;
  /** The row that the Tab key leads to. */
  #current: HTMLElement | undefined;
  #open: HTMLElement | undefined;
  #isPressed = false;

  constructor(entries: Ring<Entry>, onOpen: (entry: Entry) => void) {
    this.#entries = entries;
    this.#onOpen = onOpen;
    this.#body.addEventListener('click', ({ target }) => this.#clicked(target));
    this.#body.addEventListener('pointerdown', () => void (this.#isPressed = true));
    for (const type of ['pointerup', 'pointercancel'] as const) {
      document.addEventListener(type, () => void (this.#isPressed = false));
    }
    this.#body.addEventListener('keydown', (event) => this.#pressed(event));
  }

  /** Shows the held entries that pass, in place of what it shows now. */
  filter(accepts: (entry: Entry) => boolean): void {
    this.#accepts = accepts;
    this.clear();
    this.#isPressed = false;
    this.paint();
  }

  clear(): void {
    this.#body.replaceChildren();
    this.#current = this.#open = undefined;
    this.#painted = 0;
    this.#empty.hidden = false;
  }

  /** Cost: the new rows, at most {@link MAX_ROWS}. */
  paint(): void {
    // A row that moves away between press and release gets no click.
    if (this.#isPressed) return;
    const rows: HTMLElement[] = [];
    for (const entry of this.#entries.newestFirst(this.#painted)) {
      if (rows.length === MAX_ROWS) break;
      if (this.#accepts(entry)) rows.push(this.#rowOf(entry));
    }
    this.#painted = this.#entries.pushed;
    if (rows.length > 0) this.#prepend(rows);
  }

  /** Focus goes to the row whose payload was open, and the selection ends. */
  deselect(): void {
    this.#open?.setAttribute('aria-selected', 'false');
    const row = this.#open?.isConnected ? this.#open : this.#current;
    this.#open = undefined;
    if (row) this.#focus(row);
  }

  #rowOf(entry: Entry): HTMLElement {
    const row = rowOf(entry);
    this.#entryOf.set(row, entry);
    return row;
  }

  #prepend(rows: readonly HTMLElement[]): void {
    const hadFocus = document.activeElement === this.#current && this.#current !== undefined;
    this.#keepInPlace(() => this.#body.prepend(...rows));
    while (this.#body.childElementCount > MAX_ROWS) this.#body.lastElementChild?.remove();
    this.#empty.hidden = true;
    if (this.#current?.isConnected) return;
    // The row that held the focus has left at the bottom: the nearest one takes it.
    this.#setCurrent(hadFocus ? this.#row('last') : this.#row('first'));
    if (hadFocus) this.#current?.focus({ preventScroll: true });
  }

  /**
   * Whoever has scrolled down goes on seeing the same rows. Costs a layout then; at the top, where new rows are wanted,
   * none.
   */
  #keepInPlace(change: () => void): void {
    const first = this.#scroller.scrollTop > 0 ? this.#row('first') : undefined;
    const top = first?.offsetTop ?? 0;
    change();
    if (first) this.#scroller.scrollTop += first.offsetTop - top;
  }

  #row(which: 'first' | 'last'): HTMLElement | undefined {
    const row = which === 'first' ? this.#body.firstElementChild : this.#body.lastElementChild;
    return row instanceof HTMLElement ? row : undefined;
  }

  #setCurrent(row: HTMLElement | undefined): void {
    if (this.#current) this.#current.tabIndex = -1;
    this.#current = row;
    if (row) row.tabIndex = 0;
  }

  #focus(row: HTMLElement): void {
    this.#setCurrent(row);
    row.focus();
  }

  #clicked(target: EventTarget | null): void {
    const row = target instanceof Element ? target.closest('tr') : null;
    if (row) this.#openRow(row);
  }

  #openRow(row: HTMLElement): void {
    const entry = this.#entryOf.get(row);
    this.#setCurrent(row);
    if (entry?.kind !== 'event') return;
    this.#open?.setAttribute('aria-selected', 'false');
    this.#open = row;
    row.setAttribute('aria-selected', 'true');
    this.#onOpen(entry);
  }

  #pressed(event: KeyboardEvent): void {
    const row = event.target instanceof HTMLElement ? event.target.closest('tr') : null;
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = this.#destination(row, event.key);
    if (!next && event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    if (next) this.#focus(next);
    else this.#openRow(row);
  }

  #destination(row: HTMLElement, key: string): HTMLElement | undefined {
    switch (key) {
      case 'ArrowDown':
        return this.#away(row, 1);
      case 'ArrowUp':
        return this.#away(row, -1);
      case 'PageDown':
        return this.#away(row, PAGE_ROWS);
      case 'PageUp':
        return this.#away(row, -PAGE_ROWS);
      case 'Home':
        return this.#row('first');
      case 'End':
        return this.#row('last');
      default:
        return undefined;
    }
  }

  /** The row so many rows further down, or the last one on the way. */
  #away(row: HTMLElement, rows: number): HTMLElement {
    let place: Element = row;
    for (let left = Math.abs(rows); left > 0; left--) {
      place = (rows > 0 ? place.nextElementSibling : place.previousElementSibling) ?? place;
    }
    return place as HTMLElement;
  }
}
