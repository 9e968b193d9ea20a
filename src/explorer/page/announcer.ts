/// <reference lib="dom" />
import { setText } from './element.ts';

/** What is said to a screen reader is said whole: not more often than this. */
const MIN_PAUSE_MS = 3000;

/** Fills a live region. Of what comes while it waits, only the newest is said: what is older is over. */
export class Announcer {
  readonly #region: Element;
  #next: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(region: Element) {
    this.#region = region;
  }

  say(text: string): void {
    this.#next = text;
    if (this.#timer === undefined) this.#speak();
  }

  #speak(): void {
    this.#timer = undefined;
    if (this.#next === undefined) return;
    setText(this.#region, this.#next);
    this.#next = undefined;
    this.#timer = setTimeout(() => this.#speak(), MIN_PAUSE_MS);
  }
}
