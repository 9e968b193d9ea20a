/// <reference lib="dom" />
import type { Event } from '../../client/index.ts';
import { create, element, setText } from './element.ts';

/** Longer payloads are cut: a text of many megabytes would hold the page up. */
const MAX_PAYLOAD_CHARACTERS = 256 * 1024;

/** Shows one event in full. */
export class DetailsPanel {
  readonly #panel = element('details', HTMLElement);
  readonly #title = element('details-title', HTMLElement);
  readonly #facts = element('facts', HTMLElement);
  readonly #payload = element('payload', HTMLElement);
  readonly #onClose: () => void;

  /** @param onClose the reader has closed it; the focus should go back to where it came from */
  constructor(onClose: () => void) {
    this.#onClose = onClose;
    element('close', HTMLButtonElement).addEventListener('click', () => this.#close());
    this.#panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#close();
    });
  }

  /** Whether the focus is in it. */
  get hasFocus(): boolean {
    return this.#panel.contains(document.activeElement);
  }

  show(event: Event): void {
    this.update(event);
    this.#panel.hidden = false;
    this.#payload.scrollTop = 0;
    this.#payload.focus();
  }

  /** The object that is shown has changed: focus and scrolling stay. */
  update(event: Event): void {
    setText(this.#title, event.type);
    this.#facts.replaceChildren(
      ...factsOf(event).flatMap(([name, text]) => [create('dt', '', name), create('dd', '', text)]),
    );
    setText(this.#payload, payloadText(event.payload));
  }

  /** Without a word to anyone: the event is no longer in the table. */
  hide(): void {
    this.#panel.hidden = true;
  }

  #close(): void {
    this.hide();
    this.#onClose();
  }
}

function factsOf({ topic, key, namespace, index, filterKeys }: Event): readonly (readonly [string, string])[] {
  const facts: readonly (readonly [string, string])[] = [
    ['Topic', topic],
    ['Key', key],
    ['Namespace', namespace],
    ['Index', String(index)],
    ['Filter keys', filterKeys.join(', ')],
  ];
  return facts.filter(([, text]) => text !== '');
}

export function payloadText(payload: unknown): string {
  const text = JSON.stringify(payload, null, 2) ?? 'none';
  const rest = text.length - MAX_PAYLOAD_CHARACTERS;
  return rest > 0 ? `${text.slice(0, MAX_PAYLOAD_CHARACTERS)}\n… ${rest.toLocaleString()} more characters` : text;
}
