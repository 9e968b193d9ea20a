/// <reference lib="dom" />
import type { Announcer } from './announcer.ts';
import { create, element, setText } from './element.ts';
import { readReport, ReportRefusal, type OperatorReport } from './operator-report.ts';
import { cellsOf, factsOf, restText } from './operator-text.ts';

/** Time from an answer to the next question, in ms. */
const PAUSE_MS = 2000;
/** A server that does not answer is asked again after so long, in ms. */
const PATIENCE_MS = 10_000;

/**
 * What an operator sees: the broker's figures and its streams. It asks while it is in sight and at no other time, one
 * question at a time. Where the server refuses, what was shown before is taken away: it was for a token that counts no
 * more.
 */
export class OperatorView {
  readonly #url: string;
  readonly #tokenOf: () => string;
  readonly #announcer: Announcer;
  readonly #events = element('events', HTMLElement);
  readonly #view = element('operator', HTMLElement);
  readonly #notice = element('operator-notice', HTMLElement);
  readonly #facts = element('operator-facts', HTMLElement);
  readonly #table = element('streams', HTMLElement);
  readonly #rows = element('stream-rows', HTMLElement);
  readonly #rest = element('operator-rest', HTMLElement);
  /** Ends what is asked for a view that is no longer in sight. */
  #asking: AbortController | undefined;

  /** @param tokenOf the token that is typed in at the moment; `''` for none */
  constructor(url: string, tokenOf: () => string, announcer: Announcer) {
    this.#url = url;
    this.#tokenOf = tokenOf;
    this.#announcer = announcer;
  }

  /** The reader may choose it from now on. */
  offer(): void {
    const choice = element('as-operator', HTMLInputElement);
    element('operator-choice', HTMLElement).hidden = false;
    choice.addEventListener('change', () => (choice.checked ? this.#open() : this.#close()));
    // Another token may show more, or less.
    element('filters', HTMLFormElement).addEventListener('submit', () => choice.checked && this.#open());
  }

  #open(): void {
    this.#close();
    this.#events.hidden = true;
    this.#view.hidden = false;
    const asking = new AbortController();
    this.#asking = asking;
    void this.#ask(asking.signal);
  }

  #close(): void {
    this.#asking?.abort();
    this.#clear('');
    this.#view.hidden = true;
    this.#events.hidden = false;
  }

  async #ask(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#askOnce(signal);
      await new Promise((resolve) => void setTimeout(resolve, PAUSE_MS));
    }
  }

  async #askOnce(signal: AbortSignal): Promise<void> {
    const patience = new AbortController();
    const giveUp = (): void => patience.abort();
    const timer = setTimeout(giveUp, PATIENCE_MS);
    signal.addEventListener('abort', giveUp);
    try {
      const report = await readReport(this.#url, this.#tokenOf(), patience.signal);
      if (!signal.aborted) this.#show(report);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ReportRefusal) this.#clear(error.message);
      else this.#tell('The server does not answer. What is shown is from before.');
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }

  #show(report: OperatorReport): void {
    const now = Date.now();
    this.#tell('');
    this.#facts.replaceChildren(
      ...factsOf(report).map(([name, text]) => {
        const fact = create('div', '', '');
        fact.append(create('dt', '', name), create('dd', '', text));
        return fact;
      }),
    );
    this.#rows.replaceChildren(
      ...report.shown.map((stream) => {
        const row = create('tr', stream.state, '');
        row.append(...cellsOf(stream, now).map((text) => create('td', '', text)));
        return row;
      }),
    );
    this.#table.hidden = false;
    const rest = restText(report);
    this.#rest.hidden = rest === '';
    setText(this.#rest, rest);
  }

  #clear(text: string): void {
    this.#facts.replaceChildren();
    this.#rows.replaceChildren();
    this.#table.hidden = true;
    this.#rest.hidden = true;
    this.#tell(text);
  }

  #tell(text: string): void {
    if (text !== '' && this.#notice.textContent !== text) this.#announcer.say(text);
    setText(this.#notice, text);
    this.#notice.hidden = text === '';
  }
}
