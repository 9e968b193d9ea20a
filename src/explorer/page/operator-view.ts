/// <reference lib="dom" />
import type { Announcer } from './announcer.ts';
import { create, element, setText } from './element.ts';
import type { OperatorReport } from './operator-report.ts';
import { cellsOf, factsOf, restText } from './operator-text.ts';
import { readReport, ReportRefusal } from './report.ts';

/** Time from an answer to the next question, in ms. */
const PAUSE_MS = 2000;

/**
 * What an operator sees: the broker's figures and its streams. It asks while it is in sight and at no other time, one
 * question at a time. Where the server refuses, what was shown before is taken away: it was for a token that counts no
 * more.
 */
export class OperatorView {
  readonly #url: string;
  readonly #tokenOf: () => string;
  readonly #announcer: Announcer;
  /** What belongs to the stream, which it stands in front of. */
  readonly #events = ['events', 'shown'].map((id) => element(id, HTMLElement));
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

  /** Opens or closes it. Opened once more it asks anew: another token may show more, or less. */
  show(isOpen: boolean): void {
    this.#close();
    if (isOpen) this.#open();
  }

  #open(): void {
    for (const part of this.#events) part.hidden = true;
    this.#view.hidden = false;
    const asking = new AbortController();
    this.#asking = asking;
    void this.#ask(asking.signal);
  }

  #close(): void {
    this.#asking?.abort();
    this.#clear('');
    this.#view.hidden = true;
    for (const part of this.#events) part.hidden = false;
  }

  async #ask(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#askOnce(signal);
      await new Promise((resolve) => void setTimeout(resolve, PAUSE_MS));
    }
  }

  async #askOnce(signal: AbortSignal): Promise<void> {
    try {
      const report = await readReport<OperatorReport>(this.#url, this.#tokenOf(), signal);
      if (!signal.aborted) this.#show(report);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ReportRefusal) this.#clear(refusalText(error));
      else this.#tell('The server does not answer. What is shown is from before.');
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

function refusalText({ status, message }: ReportRefusal): string {
  return status === 403 ? 'Permission denied: this takes a management token.' : message;
}
