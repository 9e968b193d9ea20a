import { StreamError } from '../stream-error.ts';
import type { Browser, Channel } from './browser.ts';
import type { Leader } from './leader.ts';
import type { LeaderMessage, TabMessage } from './tab-message.ts';

/** What a tab does in its group. */
export interface TabMember {
  /** This tab is to lead: from where it is. */
  newLeader(tell: (message: LeaderMessage) => void): Leader;
  /** The leader, which may be this tab, has said something. */
  hear(message: LeaderMessage): void;
  /** What the leader read has ended. */
  onGone(): void;
  /** This tab led, and failed in a way that is no fault of the stream's. */
  onFault(error: unknown): void;
}

/**
 * The tabs that share a stream: one of them, which holds the lock, leads. When it is closed the browser gives the lock
 * to the next.
 */
export class TabGroup {
  readonly #browser: Browser;
  readonly #name: string;
  readonly #member: TabMember;
  readonly #abort = new AbortController();
  #channel: Channel | undefined;
  #leader: Leader | undefined;

  constructor(browser: Browser, name: string, member: TabMember) {
    this.#browser = browser;
    this.#name = name;
    this.#member = member;
  }

  /** From now on this tab hears the others, and leads when its turn comes. */
  join(): void {
    this.#channel = this.#browser.openChannel(this.#name);
    this.#channel.addEventListener('message', ({ data }) => this.#take(data as TabMessage));
    this.#campaign();
  }

  /** To all tabs, this one too. @throws TypeError for a batch that no channel can carry */
  tell(message: TabMessage): void {
    try {
      this.#channel?.postMessage(message);
    } catch (cause) {
      throw new TypeError('Tabs can share only what can be cloned: what the option parse makes cannot.', { cause });
    }
    this.#take(message);
  }

  /** Leads without waiting for the tab that does, which does not answer. */
  takeOver(): void {
    if (!this.#leader) void this.#request({ steal: true });
  }

  leave(): void {
    this.#abort.abort();
    this.#leader?.close();
    this.#channel?.close();
    this.#channel = undefined;
  }

  #take(message: TabMessage): void {
    switch (message.kind) {
      case 'ask':
        return this.#leader?.tellPlace();
      case 'wake':
        return this.#leader?.wake();
      case 'reconnect':
        return this.#leader?.reconnect();
      case 'gone':
        return this.#member.onGone();
      case 'place':
      case 'batch':
        return this.#member.hear(message);
    }
  }

  #campaign(): void {
    void this.#request({ signal: this.#abort.signal });
  }

  /** Another tab may take the lock away: this one waits for its turn again then. */
  async #request(options: Parameters<Browser['locks']['request']>[1]): Promise<void> {
    try {
      await this.#browser.locks.request(this.#name, options, () => this.#lead());
    } catch {
      if (this.#abort.signal.aborted) return;
      this.#leader?.close();
      this.#campaign();
    }
  }

  async #lead(): Promise<void> {
    if (this.#abort.signal.aborted || this.#leader) return;
    const leader = this.#member.newLeader((message) => this.tell(message));
    this.#leader = leader;
    try {
      await leader.lead();
    } catch (error) {
      if (!StreamError.is(error)) this.#member.onFault(error);
      this.tell({ kind: 'gone' });
    } finally {
      leader.close();
      this.#leader = undefined;
    }
  }
}
