/// <reference lib="dom" />
import { create, element } from './element.ts';
import { readReport } from './report.ts';
import { topicMark } from './topic-mark.ts';

/** More buttons than these nobody looks through. */
const MAX_TOPICS = 200;

/** A topic, as the server's list of topics tells it. */
interface ListedTopic {
  readonly name: string;
  readonly types: readonly string[];
  readonly isRetained: boolean;
}

/**
 * The topics that this reader may see: those that the server lists for its token, and those of which events came. Each
 * is a button that puts the topic among the filters, or takes it out; its mark says which colour the topic has.
 */
export class TopicList {
  readonly #url: string | undefined;
  readonly #list = element('topic-list', HTMLElement);
  readonly #names = element('topic-names', HTMLElement);
  readonly #types = element('known-types', HTMLDataListElement);
  readonly #buttons = new Map<string, HTMLButtonElement>();
  #chosen: ReadonlySet<string> = new Set();
  /** Whose list this is. */
  #token: string | undefined;
  #asking: AbortController | undefined;

  /** @param url where the server lists them; undefined where it does not */
  constructor(url: string | undefined, onToggle: (topic: string) => void) {
    this.#url = url;
    this.#names.addEventListener('click', ({ target }) => {
      const topic = target instanceof HTMLElement ? target.closest('button')?.textContent : undefined;
      if (topic) onToggle(topic);
    });
  }

  /** Shows which are among the filters. Another token begins anew: it may see other topics. */
  show(chosen: ReadonlySet<string>, token: string): void {
    this.#chosen = chosen;
    if (token !== this.#token) this.#beginAnew(token);
    for (const [topic, button] of this.#buttons) this.#mark(topic, button);
  }

  /** The next {@link show} begins anew: what a token may see can have changed. */
  forget(): void {
    this.#token = undefined;
  }

  /** An event of this topic came. */
  saw(topic: string): void {
    if (!this.#buttons.has(topic) && this.#buttons.size < MAX_TOPICS) this.#add([topic]);
  }

  #beginAnew(token: string): void {
    this.#token = token;
    this.#asking?.abort();
    this.#buttons.clear();
    this.#names.replaceChildren();
    this.#types.replaceChildren();
    this.#list.hidden = true;
    this.#asking = new AbortController();
    if (this.#url !== undefined) void this.#ask(this.#url, token, this.#asking.signal);
  }

  /** Where the list is refused, the stream is too, and says why. */
  async #ask(url: string, token: string, signal: AbortSignal): Promise<void> {
    try {
      const { topics } = await readReport<{ readonly topics: readonly ListedTopic[] }>(url, token, signal);
      if (signal.aborted) return;
      this.#add(topics.map(({ name }) => name));
      for (const { name, isRetained } of topics) {
        if (isRetained) this.#buttons.get(name)?.setAttribute('title', 'Kept as state');
      }
      this.#types.replaceChildren(...topics.flatMap(({ types }) => types).map((type) => new Option(type)));
    } catch {
      // What comes is listed all the same.
    }
  }

  /** In the order of their names, whatever came first. */
  #add(topics: readonly string[]): void {
    for (const topic of topics) {
      if (this.#buttons.has(topic) || this.#buttons.size === MAX_TOPICS) continue;
      const button = create('button', `topic ${topicMark(topic)}`, topic);
      button.type = 'button';
      this.#buttons.set(topic, button);
      this.#mark(topic, button);
    }
    const names = [...this.#buttons.keys()].toSorted();
    for (const [place, name] of names.entries()) this.#place(this.#buttons.get(name), place);
    this.#list.hidden = names.length === 0;
  }

  /** A button that stays keeps the focus. */
  #place(button: HTMLButtonElement | undefined, place: number): void {
    const there = this.#names.children.item(place);
    if (button && there !== button) this.#names.insertBefore(button, there);
  }

  #mark(topic: string, button: HTMLButtonElement): void {
    button.setAttribute('aria-pressed', String(this.#chosen.has(topic)));
  }
}
