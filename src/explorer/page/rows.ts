/// <reference lib="dom" />
import { element } from './element.ts';
import type { Event } from '../../client/index.ts';
import type { Entry } from './entry.ts';
import type { FilterField } from './filters.ts';
import { pressedField, rowOf } from './row.ts';

/** Rows moved past by PageUp and PageDown. */
const PAGE_ROWS = 10;

/** What the reader does with a row. */
export interface RowActions {
  open(event: Event): void;
  /** Shows only what has the same in this field. */
  narrow(field: FilterField, event: Event): void;
}

/**
 * The rows of the one table that the page has: focus, selection, keys and scrolling. Which rows there are is decided by
 * the view that shows them: events as they come, or a state.
 */
export class Rows {
  readonly #actions: RowActions;
  readonly #body = element('rows', HTMLTableSectionElement);
  readonly #scroller = element('scroller', HTMLElement);
  readonly #empty = element('empty', HTMLElement);
  readonly #entryOf = new WeakMap<Element, Entry>();
  /** The row that the Tab key leads to. */
  #current: HTMLElement | undefined;
  #open: HTMLElement | undefined;
  #isPressed = false;
  /** The focus was on what is no longer there: the first row gets it. */
  #isFocusLost = false;

  constructor(actions: RowActions) {
    this.#actions = actions;
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

  /** What had the focus goes: the first row that is shown from now on gets it, unless something else has it then. */
  takeFocus(): void {
    this.#isFocusLost = true;
  }

  clear(): void {
    if (this.#body.contains(document.activeElement)) this.takeFocus();
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
    const hadFocus = row.contains(document.activeElement);
    // In place: focus and selection stay with the row.
    row.replaceChildren(...made.children);
    if (hadFocus) row.focus({ preventScroll: true });
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
      const hasFocus = row.contains(document.activeElement);
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
    this.#restoreFocus();
  }

  #restoreFocus(): void {
    if (!this.#isFocusLost || !this.#current) return;
    this.#isFocusLost = false;
    if (document.activeElement === document.body) this.#current.focus({ preventScroll: true });
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
    const field = pressedField(target);
    if (!row) return;
    if (field === undefined) return this.#openRow(row);
    const entry = this.#entryOf.get(row);
    if (entry?.kind === 'event') this.#actions.narrow(field, entry.event);
  }

  #openRow(row: HTMLElement): void {
    const entry = this.#entryOf.get(row);
    this.#setCurrent(row);
    if (entry?.kind !== 'event') return;
    this.#open?.setAttribute('aria-selected', 'false');
    this.#open = row;
    row.setAttribute('aria-selected', 'true');
    this.#actions.open(entry.event);
  }

  #pressed(event: KeyboardEvent): void {
    const row = event.target instanceof HTMLElement ? event.target.closest('tr') : null;
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = this.#beside(row, event) ?? this.#destination(row, event.key);
    // A button does what it does by itself.
    if (!next && event.target !== row) return;
    if (!next && event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    if (next instanceof HTMLButtonElement) next.focus();
    else if (next) this.#focus(next);
    else this.#openRow(row);
  }

  /** Within a row: the buttons of its cells, from the row itself on. */
  #beside(row: HTMLElement, { key, target }: KeyboardEvent): HTMLElement | undefined {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (step === undefined) return undefined;
    const places = [row, ...row.querySelectorAll<HTMLElement>('button.only')];
    return places[places.indexOf(target as HTMLElement) + step];
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
