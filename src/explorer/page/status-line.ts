/// <reference lib="dom" />
import type { Announcer } from './announcer.ts';
import { element, setText } from './element.ts';
import type { FeedState } from './feed.ts';
import type { StateProgress } from './object-state.ts';

/** What is told of a stream that has more to tell than that it is live. */
export interface StateTold {
  /** Why it ended. */
  readonly reason?: string;
  /** Of a state: whether all of it is here. */
  readonly progress?: StateProgress | undefined;
}

const progressTexts: Readonly<Record<StateProgress, string>> = {
  reading: 'Live: reading the state',
  current: 'Live: current',
};

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

  show(state: FeedState, told: StateTold = {}): void {
    const text = textOf(state, told);
    this.#state.dataset['state'] = state;
    setText(this.#text, text);
    setText(this.#pause, state === 'paused' ? 'Resume' : 'Pause');
    this.#pause.disabled = state === 'ended' || state === 'idle';
    this.#announcer.say(text);
  }
}

function textOf(state: FeedState, { reason, progress }: StateTold): string {
  if (state === 'ended' && reason) return `${stateTexts.ended}: ${reason}`;
  return state === 'live' && progress ? progressTexts[progress] : stateTexts[state];
}
