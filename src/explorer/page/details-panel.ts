/// <reference lib="dom" />
import type { Event } from '../../client/index.ts';
import { create, element, setText } from './element.ts';
import type { FilterField } from './filters.ts';
import { type DiffLine, jsonDiff } from './json-diff.ts';
import { filterButton, pressedField } from './row.ts';

/** Longer payloads are cut: a text of many megabytes would hold the page up. */
const MAX_PAYLOAD_CHARACTERS = 256 * 1024;

/** What the reader does with the event that is shown. */
export interface DetailsActions {
  /** It was closed; the focus should go back to where it came from. */
  closed(): void;
  /** Shows only what has the same in this field. */
  narrow(field: FilterField, event: Event): void;
  copy(text: string, what: string): void;
}

/** An event, and the one before of the same key, where it is held. */
export interface ShownEvent {
  readonly event: Event;
  readonly before: Event | undefined;
}

/** Shows one event in full, or what it changed. */
export class DetailsPanel {
  readonly #panel = element('details', HTMLElement);
  readonly #title = element('details-title', HTMLElement);
  readonly #facts = element('facts', HTMLElement);
  readonly #payload = element('payload', HTMLElement);
  readonly #compare = element('compare', HTMLInputElement);
  readonly #actions: DetailsActions;
  #shown: ShownEvent | undefined;

  constructor(actions: DetailsActions) {
    this.#actions = actions;
    element('close', HTMLButtonElement).addEventListener('click', () => this.#close());
    element('copy-payload', HTMLButtonElement).addEventListener('click', () => this.#copy());
    this.#compare.addEventListener('change', () => this.#showPayload());
    this.#facts.addEventListener('click', ({ target }) => this.#narrow(target));
    this.#panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#close();
    });
  }

  /** Whether the focus is in it. */
  get hasFocus(): boolean {
    return this.#panel.contains(document.activeElement);
  }

  show(shown: ShownEvent): void {
    this.update(shown);
    this.#panel.hidden = false;
    this.#payload.scrollTop = 0;
    this.#payload.focus();
  }

  /** The object that is shown has changed: focus and scrolling stay. */
  update(shown: ShownEvent): void {
    this.#shown = shown;
    setText(this.#title, shown.event.type);
    this.#showFacts(shown.event);
    this.#showPayload();
  }

  /** Without a word to anyone: the event is no longer in the table. */
  hide(): void {
    this.#panel.hidden = true;
    this.#shown = undefined;
  }

  #showFacts(event: Event): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['field'] : undefined;
    const hadFocus = this.#facts.contains(document.activeElement);
    this.#facts.replaceChildren(...factsOf(event).flatMap((fact) => [create('dt', '', fact.name), valueOf(fact)]));
    if (hadFocus) this.#facts.querySelector<HTMLElement>(`[data-field="${focused}"]`)?.focus();
  }

  #showPayload(): void {
    if (!this.#shown) return;
    const { event, before } = this.#shown;
    const isCompared = this.#compare.checked;
    this.#payload.setAttribute('aria-label', isCompared ? 'Changes of the payload' : 'Payload');
    if (!isCompared) return setText(this.#payload, payloadText(event.payload));
    const [first, ...lines] = changesOf(event, before).map(lineOf);
    this.#payload.replaceChildren(...(first ? [first] : []), ...lines.flatMap((line) => ['\n', line]));
  }

  #narrow(target: EventTarget | null): void {
    const field = pressedField(target);
    if (field && this.#shown) this.#actions.narrow(field, this.#shown.event);
  }

  /** All of it, however much of it is shown. */
  #copy(): void {
    if (this.#shown) this.#actions.copy(JSON.stringify(this.#shown.event.payload, null, 2) ?? '', 'The payload');
  }

  #close(): void {
    this.hide();
    this.#actions.closed();
  }
}

interface Fact {
  readonly name: string;
  readonly text: string;
  /** It can be filtered by. */
  readonly field?: FilterField;
}

function factsOf({ topic, key, namespace, index, filterKeys }: Event): readonly Fact[] {
  const facts: readonly Fact[] = [
    { name: 'Topic', text: topic, field: 'topic' },
    { name: 'Key', text: key, field: 'key' },
    { name: 'Namespace', text: namespace, field: 'namespace' },
    { name: 'Index', text: String(index) },
    { name: 'Filter keys', text: filterKeys.join(', ') },
  ];
  return facts.filter(({ text }) => text !== '');
}

function valueOf({ text, field }: Fact): HTMLElement {
  const value = create('dd', '', '');
  // The text of a button cannot be selected, and a key is what is copied most.
  value.append(create('span', '', text));
  if (field === undefined) return value;
  const button = filterButton(field, 'only this');
  button.setAttribute('aria-label', button.title);
  value.append(button);
  return value;
}

function changesOf(event: Event, before: Event | undefined): readonly DiffLine[] {
  if (before === undefined) return [note('This page holds no event of this key from before this one.')];
  const lines = jsonDiff(before.payload, event.payload);
  const since = `since ${before.type} at index ${before.index}`;
  return [note(lines.length === 0 ? `Nothing has changed ${since}.` : `Changes ${since}:`), ...lines];
}

function note(text: string): DiffLine {
  return { sign: ' ', text };
}

/** The sign says it without the colour; the element says it to a screen reader. */
function lineOf({ sign, text }: DiffLine): HTMLElement {
  const name = ({ '+': 'ins', '-': 'del', ' ': 'span' } as const)[sign];
  return create(name, '', `${sign} ${text}`);
}

export function payloadText(payload: unknown): string {
  const text = JSON.stringify(payload, null, 2) ?? 'none';
  const rest = text.length - MAX_PAYLOAD_CHARACTERS;
  return rest > 0 ? `${text.slice(0, MAX_PAYLOAD_CHARACTERS)}\n… ${rest.toLocaleString()} more characters` : text;
}
