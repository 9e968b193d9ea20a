import type { ClockTimer } from '../../model/clock.ts';
import type { EventBatch } from '../../model/event.ts';
import { isRestart } from '../../model/gap.ts';
import { onAbort } from '../../model/on-abort.ts';
import type { StreamState } from '../connection-state.ts';
import type { EventStream } from '../event-stream.ts';
import type { Position } from '../read-position.ts';
import { StreamError } from '../stream-error.ts';
import type { StreamOptions } from '../stream-options.ts';
import { liveClock, type StreamClock, Wait } from '../wait.ts';
import { watchedClock, watchWakeUps } from '../wake-ups.ts';
import { Leader } from './leader.ts';
import type { SharedStream } from './shared-stream.ts';
import { stateFrom } from './tab-message.ts';
import type { LeaderMessage } from './tab-message.ts';
import { standing } from './tab-place.ts';
import { TabGroup } from './tab-group.ts';
import type { Browser } from './browser.ts';

/** A leader answers within this; without an answer a tab reads by a connection of its own, and takes over. */
const ANSWER_MS = 2_000;

/** A leader that has said nothing for so long is asked whether it is there. */
const QUIET_MS = 20_000;

/** Batches that a tab keeps which does not read. Past it, it goes on by a connection of its own. */
const MAX_QUEUED = 1_000;

/**
 * A stream that is read by one connection for all tabs of a browser. Each tab has its own position, and gets every
 * batch after it once and in order, whichever tab reads the connection: a tab follows the leader only where their
 * positions meet, and catches up by a connection of its own where they do not.
 */
export class TabStream<Batch extends EventBatch = EventBatch> implements SharedStream<Batch> {
  readonly #options: StreamOptions;
  readonly #openAt: (place: StreamOptions) => EventStream;
  readonly #group: TabGroup;
  readonly #clock: StreamClock;
  readonly #wait: Wait;
  readonly #stopListening: (() => void) | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #mode: 'new' | 'seeking' | 'following' | 'alone' | 'closed' = 'new';
  /** Where the caller wants to begin. */
  readonly #start: Position;
  /** After what was handed over. */
  #position: Position;
  /** After what came, handed over or queued. */
  #received: Position;
  readonly #queue: LeaderMessage[] = [];
  /** What the leader said last. */
  #heard: LeaderMessage | undefined;
  /** It was asked whether it is there, and has not answered yet. */
  #isAsked = false;
  /** The leader was behind this tab when it was joined, and may be still. */
  #mayRepeat = false;
  /** The state was said to be complete. */
  #isCurrent = false;
  /** Reads what the leader has passed already. */
  #own: EventStream | undefined;
  #check: ClockTimer | undefined;
  #state: StreamState = { name: 'connecting' };
  #fault: unknown;

  constructor(browser: Browser, name: string, options: StreamOptions, openAt: (place: StreamOptions) => EventStream) {
    const { index = 0, epoch, appended, mark, seen, clock = liveClock, signal } = options;
    this.#options = options;
    this.#openAt = openAt;
    this.#start = {
      index,
      ...(epoch !== undefined && { epoch }),
      ...(appended !== undefined && { appended }),
      ...(seen !== undefined && { seen }),
      ...(mark !== undefined && { mark }),
    };
    this.#position = this.#received = this.#start;
    this.#clock = clock;
    this.#group = new TabGroup(browser, name, {
      newLeader: (tell) => new Leader((onState) => this.#open(onState), tell),
      hear: (message) => this.#hear(message),
      onGone: () => this.#onGone(),
      onFault: (error) => this.#onFault(error),
    });
    this.#wait = new Wait(watchedClock(clock, () => watchWakeUps(clock, () => this.#group.tell({ kind: 'wake' }))));
    this.#stopListening = signal && onAbort(signal, () => this.close());
    if (signal?.aborted) this.close();
  }

  get state(): StreamState {
    return this.#state;
  }

  get position(): Position {
    return this.#position;
  }

  next(): Promise<IteratorResult<Batch, undefined>> {
    const read = () => this.#read() as Promise<IteratorResult<Batch, undefined>>;
    return (this.#last = this.#last.then(read, read));
  }

  async return(): Promise<IteratorResult<Batch, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  reconnect(): void {
    this.#own?.reconnect();
    if (this.#mode === 'following') this.#group.tell({ kind: 'reconnect' });
  }

  close(): void {
    if (this.#mode === 'closed') return;
    this.#mode = 'closed';
    this.#wait.end();
    this.#group.leave();
    this.#own?.close();
    this.#check?.cancel();
    this.#stopListening?.();
    this.#show({ name: 'closed', ...(this.#fault !== undefined && { reason: this.#fault }) });
  }

  async #read(): Promise<IteratorResult<EventBatch, undefined>> {
    try {
      while (this.#mode !== 'closed') {
        const value = await this.#step();
        if (value) return { done: false, value };
      }
      return { done: true, value: undefined };
    } catch (error) {
      this.#fault ??= error;
      this.close();
      throw error;
    }
  }

  async #step(): Promise<EventBatch | undefined> {
    if (this.#fault !== undefined) throw this.#fault;
    const queued = this.#queue.shift();
    if (queued?.kind === 'batch') return this.#handOver(queued.batch, queued.position);
    if (this.#mode === 'alone') return this.#readAlone();
    if (this.#mode === 'new') {
      this.#mode = 'seeking';
      this.#group.join();
      this.#ask();
    }
    // Ends early, with false, when something came.
    const isQuiet = await this.#wait.sleep(this.#isAsked ? ANSWER_MS : QUIET_MS);
    if (!isQuiet) return undefined;
    if (!this.#isAsked) this.#ask();
    else {
      // Its tab is frozen, or hangs: browsers let it keep the lock.
      this.#mode = 'alone';
      this.#group.takeOver();
    }
    return undefined;
  }

  /** Is there a leader, and where is it? */
  #ask(): void {
    this.#isAsked = true;
    this.#group.tell({ kind: 'ask' });
  }

  async #readAlone(): Promise<EventBatch | undefined> {
    const own = (this.#own ??= this.#openOwn());
    this.#join();
    const { done, value } = await own.next();
    if (done) return undefined;
    // Else the leader was joined meanwhile, from behind this batch on, and may have brought more.
    if (own === this.#own) this.#received = own.position;
    this.#note(value);
    return this.#handOver(value, own.position);
  }

  #openOwn(): EventStream {
    const own: EventStream = this.#open((state) => own === this.#own && this.#show(state));
    this.#checkSoon();
    return own;
  }

  /**
   * Heartbeats move the own connection's position and nobody is told: so the leader is asked for its own, now and then.
   */
  #checkSoon(): void {
    this.#check?.cancel();
    this.#check = this.#clock.after(ANSWER_MS, () => {
      if (!this.#own) return;
      this.#checkSoon();
      this.#group.tell({ kind: 'ask' });
    });
  }

  #open(onState: (state: StreamState) => void): EventStream {
    return this.#openAt({
      ...this.#options,
      // What this tab asked for at first is no place any more.
      ...{ index: undefined, epoch: undefined, appended: undefined, seen: undefined, mark: undefined },
      ...this.#place,
      // Nothing was read yet: a snapshot is asked for first, unless the caller named an index.
      ...(this.#place === this.#start && { index: this.#options.index }),
      // Each tab has its own, whoever has the connection.
      onGap: 'continue',
      onState,
      signal: undefined,
    });
  }

  /** Where this tab is: past what its own connection has passed. */
  get #place(): Position {
    return this.#own?.position ?? this.#received;
  }

  #hear(message: LeaderMessage): void {
    const before = this.#heard;
    this.#heard = message;
    this.#isAsked = false;
    const isNext =
      this.#mode === 'following' &&
      before?.leader === message.leader &&
      before.number + (message.kind === 'batch' ? 1 : 0) === message.number;
    if (!isNext) this.#join();
    else if (message.kind === 'batch') this.#receive(message);
    else this.#advance(message.position);
    if (this.#mode === 'following') this.#show(message.kind === 'place' ? stateFrom(message.state) : { name: 'live' });
    this.#wait.skip();
  }

  /** Follows the leader if its place and that of this tab meet: everything after this one is still to come from it. */
  #join(): void {
    const heard = this.#heard;
    if (!heard || this.#mode === 'new' || this.#mode === 'closed') return;
    const place = this.#place;
    const isAnywhere = place === this.#start && place.index === 'latest';
    const where = isAnywhere ? 'same' : standing(place, heard.position);
    const isWhole = !this.#options.state || this.#isCurrent || place.index === 0;
    if (!isWhole || (where !== 'same' && where !== 'behind')) {
      this.#mode = 'alone';
      return;
    }
    this.#pass(isAnywhere ? heard.position : place);
    this.#mayRepeat = true;
    this.#mode = 'following';
    this.#own?.close();
    this.#own = undefined;
  }

  /** The leader has passed indexes with nothing in them. */
  #advance(position: Position): void {
    if (standing(this.#received, position) === 'ahead') this.#pass(position);
  }

  #pass(position: Position): void {
    this.#received = position;
    if (this.#queue.length === 0) this.#position = position;
  }

  #receive(message: LeaderMessage & { readonly kind: 'batch' }): void {
    const { batch, position } = message;
    if (this.#mayRepeat && !(batch.gap && isRestart(batch.gap))) {
      const where = standing(this.#received, position);
      if (where === 'same' || where === 'behind') return;
    }
    this.#mayRepeat = false;
    if (this.#queue.length >= MAX_QUEUED) {
      this.#mode = 'alone';
      return;
    }
    // Said once per state, and not once per leader.
    if (batch.current && this.#isCurrent && !batch.gap) return this.#pass(position);
    this.#received = position;
    this.#note(batch);
    this.#queue.push(message);
  }

  #note({ gap, current }: EventBatch): void {
    if (gap && isRestart(gap)) this.#isCurrent = false;
    if (current) this.#isCurrent = true;
  }

  #handOver(batch: EventBatch, position: Position): EventBatch {
    const { gap, ...rest } = batch;
    const { onGap } = this.#options;
    if (gap && onGap === 'fail') {
      const message = `Events from ${gap.from} to ${gap.to} may be missing (${gap.reason}).`;
      throw new StreamError('gap', message, 'resubscribe', { gap });
    }
    this.#position = position;
    if (!gap || typeof onGap !== 'function') return batch;
    onGap(gap);
    return rest;
  }

  #show(state: StreamState): void {
    if (state.name === this.#state.name && state.name !== 'waiting') return;
    if (state.name === 'closed' && this.#mode !== 'closed') return;
    this.#state = state;
    try {
      this.#options.onState?.(state);
    } catch (error) {
      // What calls this is no call of the reader's: it learns of it from `next()`.
      this.#fault ??= error;
      this.#wait.skip();
    }
  }

  #onGone(): void {
    if (this.#mode === 'closed') return;
    this.#heard = undefined;
    this.#mode = 'alone';
    this.#wait.skip();
  }

  #onFault(error: unknown): void {
    this.#fault ??= error;
    this.#wait.skip();
  }
}
