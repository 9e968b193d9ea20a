/// <reference lib="dom" />
import { element, setText } from './element.ts';
import { formatList, type PageFilters, parseList, parseStart, requestTarget } from './filters.ts';

/** The fields. The token is read from its field when it is needed, and kept nowhere else. */
export class FilterForm {
  readonly #streamUrl: string;
  readonly #form = element('filters', HTMLFormElement);
  readonly #topics = element('topics', HTMLInputElement);
  readonly #namespace = element('namespace', HTMLInputElement);
  readonly #start = element('start', HTMLInputElement);
  readonly #token = element('token', HTMLInputElement);
  readonly #state = element('as-state', HTMLInputElement);
  readonly #operator = element('as-operator', HTMLInputElement);
  readonly #types = element('types', HTMLInputElement);
  readonly #search = element('search', HTMLInputElement);
  readonly #request = element('request', HTMLElement);

  constructor(streamUrl: string) {
    this.#streamUrl = streamUrl;
    this.#form.addEventListener('input', () => this.#update());
  }

  onApply(call: () => void): void {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      call();
    });
  }

  /** Events or state was chosen, which is applied at once. */
  onView(call: () => void): void {
    this.#state.addEventListener('change', call);
  }

  /** What is shown of what came was changed, which is applied at once. */
  onNarrow(call: () => void): void {
    for (const field of [this.#types, this.#search]) field.addEventListener('input', call);
  }

  /** The reader may choose the operator's view from now on. */
  offerOperator(call: (isOperator: boolean) => void): void {
    element('operator-choice', HTMLElement).hidden = false;
    this.#operator.addEventListener('change', () => call(this.#operator.checked));
  }

  get token(): string {
    return this.#token.value.trim();
  }

  /** The request that the filters make, without the token. */
  get target(): string {
    return requestTarget(this.#streamUrl, this.filters);
  }

  get filters(): PageFilters {
    return {
      topics: parseList(this.#topics.value),
      namespaces: parseList(this.#namespace.value),
      // A state is read whole: from where on has no meaning.
      index: this.#state.checked ? 0 : (parseStart(this.#start.value) ?? 0),
      isState: this.#state.checked,
      types: this.#types.value,
      search: this.#search.value,
      isOperator: this.#operator.checked,
    };
  }

  /** Fills the fields, but for the token's. */
  show({ topics, namespaces, index, isState, types, search, isOperator }: PageFilters): void {
    this.#topics.value = formatList(topics);
    this.#namespace.value = formatList(namespaces);
    this.#start.value = String(index);
    this.#state.checked = isState;
    this.#operator.checked = isOperator;
    this.#types.value = types;
    this.#search.value = search;
    this.#update();
  }

  /** An index that is none keeps the form from being applied, and says why. */
  #update(): void {
    this.#start.disabled = this.#state.checked;
    const isStart = parseStart(this.#start.value) !== undefined;
    this.#start.setCustomValidity(isStart ? '' : 'A whole number, or "latest".');
    setText(this.#request, `GET ${this.target}`);
  }
}
