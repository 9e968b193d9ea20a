/// <reference lib="dom" />
import { element, setText } from './element.ts';
import type { FeedRequest } from './feed.ts';
import { parseList, parseStart, requestTarget } from './filters.ts';

/** The fields. The token is read from its field when it is needed, and kept nowhere else. */
export class FilterForm {
  readonly #streamUrl: string;
  readonly #form = element('filters', HTMLFormElement);
  readonly #topics = element('topics', HTMLInputElement);
  readonly #namespace = element('namespace', HTMLInputElement);
  readonly #start = element('start', HTMLInputElement);
  readonly #token = element('token', HTMLInputElement);
  readonly #state = element('as-state', HTMLInputElement);
  readonly #types = element('types', HTMLInputElement);
  readonly #request = element('request', HTMLElement);

  constructor(streamUrl: string) {
    this.#streamUrl = streamUrl;
    this.#form.addEventListener('input', () => this.#update());
    this.#update();
  }

  onApply(call: (request: FeedRequest) => void): void {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      call(this.read());
    });
  }

  /** The view was changed, which is applied at once. */
  onView(call: (request: FeedRequest) => void): void {
    this.#state.addEventListener('change', () => call(this.read()));
  }

  onTypes(call: (text: string) => void): void {
    this.#types.addEventListener('input', () => call(this.#types.value));
  }

  get token(): string {
    return this.#token.value.trim();
  }

  read(): FeedRequest {
    return {
      topics: parseList(this.#topics.value),
      namespaces: parseList(this.#namespace.value),
      // A state is read whole: from where on has no meaning.
      index: this.#state.checked ? 0 : (parseStart(this.#start.value) ?? 0),
      isState: this.#state.checked,
      token: this.token,
    };
  }

  /** An index that is none keeps the form from being applied, and says why. */
  #update(): void {
    this.#start.disabled = this.#state.checked;
    const isStart = parseStart(this.#start.value) !== undefined;
    this.#start.setCustomValidity(isStart ? '' : 'A whole number, or "latest".');
    setText(this.#request, `GET ${requestTarget(this.#streamUrl, this.read())}`);
  }
}
