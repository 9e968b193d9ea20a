/// <reference lib="dom" />
import type { Announcer } from './announcer.ts';
import { element, setText } from './element.ts';
import type { FeedState } from './feed.ts';

const stateTexts: Readonly<Record<FeedState, string>> = {
  idle: 'Starting',
  connecting: 'Connecting',
  live: 'Live',
  waiting: 'Cut off; connecting again',
  paused: 'Paused',
  ended: 'Ended',
};

/** The connection's state, for the eye at once, for the ear through the announcer. */
export class StatusLine {
  readonly #announcer: Announcer;
  readonly #state = element('state', HTMLElement);
  readonly #text = element('state-text', HTMLElement);
  readonly #pause = element('pause', HTMLButtonElement);

  constructor(announcer: Announcer) {
    this.#announcer = announcer;
  }

  /** @param reason why it ended */
  show(state: FeedState, reason?: string): void {
    const text = state === 'ended' && reason ? `${stateTexts.ended}: ${reason}` : stateTexts[state];
    this.#state.dataset['state'] = state;
    setText(this.#text, text);
    setText(this.#pause, state === 'paused' ? 'Resume' : 'Pause');
    this.#pause.disabled = state === 'ended' || state === 'idle';
    this.#announcer.say(text);
  }
}
