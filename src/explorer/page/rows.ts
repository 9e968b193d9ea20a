/// <reference lib="dom" />
import { element } from './element.ts';
import type { Entry } from './entry.ts';
import { rowOf } from './row.ts';

/** Rows moved past by PageUp and PageDown. */
const PAGE_ROWS = 10;

/**
 * The rows of the one table that the page has: focus, selection, keys and scrolling. Which rows there are is decided by
 * the view that shows them: events as they come, or a state.
 */
export class Rows {
  readonly #onOpen: (entry: Entry) => void;
  readonly #body = element('rows', HTMLTableSectionElement);
  readonly #scroller = element('scroller', HTMLElement);
  readonly #empty = element('empty', HTMLElement);
  readonly #entryOf = new WeakMap<Element, Entry>();
  /** The row that the Tab key leads to. */
  #current: HTMLElement | undefined;
  #open: HTMLElement | undefined;
  #isPressed = false;

  constructor(onOpen: (entry: Entry) => void) {
    this.#onOpen = onOpen;
    this.#body.addEventListener('click', ({ target }) => this.#clicked(target));
    this.#body.addEventListener('pointerdown', () => void (this.#isPressed = true));
    for (const type of ['pointerup', 'pointercancel'] as const) {
      document.addEventListener(type, () => void (this.#isPressed = false));
    }
    this.#body.addEventListener('keydown', (event) => this.#pressed(event));
  }

  /** Nothing may move now: a row that moves away between press and release gets no click. */
  get isPressed(): boolean {
    return this.#isPressed;
  }

  get count(): number {
    return this.#body.childElementCount;
  }

  clear(): void {
    this.#body.replaceChildren();
    this.#current = this.#open = undefined;
    this.#isPressed = false;
    this.#empty.hidden = false;
  }

  make(entry: Entry): HTMLTableRowElement {
    const row = rowOf(entry);
    this.#entryOf.set(row, entry);
    return row;
  }

  /** @returns whether the payload of this row is open */
  update(row: HTMLTableRowElement, entry: Entry): boolean {
    this.#entryOf.set(row, entry);
    const made = rowOf(entry);
    // In place: focus and selection stay with the row.
    row.replaceChildren(...made.children);
    return row === this.#open;
  }

  prepend(rows: readonly HTMLElement[]): void {
    this.#body.prepend(...rows);
  }

  /** Puts a new row where it belongs: at a place, counted from the top. */
  insert(row: HTMLElement, place: number): void {
    this.#body.insertBefore(row, this.#body.children.item(place));
  }

  /** The focus goes to its neighbour, where it had it. @returns whether its payload was open */
  remove(row: Element | null): boolean {
    if (row !== null && row === this.#current) {
      const hasFocus = document.activeElement === row;
      this.#setCurrent((row.nextElementSibling ?? row.previousElementSibling) as HTMLElement | null);
      if (hasFocus) this.#current?.focus({ preventScroll: true });
    }
    row?.remove();
    return row !== null && row === this.#open;
  }

  removeLast(): void {
    this.remove(this.#body.lastElementChild);
  }

  /**
   * Changes which rows there are. Whoever has scrolled down goes on seeing the same rows: that costs a layout then; at
   * the top, none.
   */
  change(apply: () => void): void {
    const seen = this.#scroller.scrollTop > 0 ? this.#topmostSeen() : undefined;
    const top = seen?.offsetTop ?? 0;
    apply();
    if (seen?.isConnected) this.#scroller.scrollTop += seen.offsetTop - top;
    this.#empty.hidden = this.count > 0;
    if (!this.#current?.isConnected) this.#setCurrent(this.#row('first'));
  }

  /** Focus goes to the row whose payload was open, and the selection ends. */
  deselect(): void {
    this.#open?.setAttribute('aria-selected', 'false');
    const row = this.#open?.isConnected ? this.#open : this.#current;
    this.#open = undefined;
    if (row) this.#focus(row);
  }

  #topmostSeen(): HTMLElement | undefined {
    const { scrollTop } = this.#scroller;
    const rows = [...this.#body.children] as HTMLElement[];
    return rows.find((row) => row.offsetTop + row.offsetHeight > scrollTop);
  }

  #row(which: 'first' | 'last'): HTMLElement | undefined {
    const row = which === 'first' ? this.#body.firstElementChild : this.#body.lastElementChild;
    return row instanceof HTMLElement ? row : undefined;
  }

  #setCurrent(row: HTMLElement | null | undefined): void {
    if (this.#current) this.#current.tabIndex = -1;
    this.#current = row ?? undefined;
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
