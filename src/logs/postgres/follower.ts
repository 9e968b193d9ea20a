import { BrokerError } from '../../model/errors.ts';
import type { LogRecord, LogState } from '../../core/log/event-log.ts';
import { replacedGap, trimmedGap } from '../record-source.ts';
import type { TailSource } from '../record-source.ts';
import { backoffMs, pause } from '../wait.ts';
import type { LogLook, LogReading } from './log-reading.ts';
import type { OwnConnection } from './own-connection.ts';
import { OwnRecords } from './own-records.ts';

/** A host's transaction that has appended is looked for this soon … */
const SHORTEST_LOOK_MS = 2;
/** … and then each time that this part of its age has passed: it is seen late by a quarter of its length at most. */
const PART_OF_AGE = 4;

export interface FollowerOptions {
  readonly connection: OwnConnection;
  readonly reading: LogReading;
  readonly pollMs: number;
  /** Something may have changed: called after every look, and when the log went down. */
  readonly onLook: () => void;
  /** What a transaction of this process appended is there. */
  readonly onCommitted: () => void;
}

interface Mark {
  readonly index: number;
  readonly time: number;
}

/**
 * Knows where the log stands, over the log's own connection: by its notices, by what this process appended, and by a
 * look each `pollMs`, which is the connection's heartbeat too. One loop, that makes the connection anew when it is
 * lost.
 */
export class Follower implements TailSource {
  readonly #options: FollowerOptions;
  readonly #closed = new AbortController();
  #state: LogState;
  readonly #own = new OwnRecords();
  #outage: BrokerError | undefined;
  #rewrites = 0;
  /**
   * The newest record that a look saw, or a tail was given: another one in its place means that the log lost its end
   * and grew again.
   */
  #mark: Mark | undefined;
  /** What a transaction of the host's appended and nobody saw yet. */
  #expected: { readonly index: number; readonly since: number } | undefined;
  /** Ends the rest of the loop; aborted before it rests, the loop does not. */
  #stirred = new AbortController();

  constructor(options: FollowerOptions, look: LogLook) {
    this.#options = options;
    this.#state = look.state;
    this.#note(look);
    void this.#run();
  }

  state(): LogState & { readonly rewrites: number } {
    if (this.#closed.signal.aborted) throw new BrokerError('closed', 'The log is closed.');
    if (this.#outage) throw this.#outage;
    return { ...this.#state, rewrites: this.#rewrites };
  }

  /** @throws BrokerError `log_unavailable` */
  async look(): Promise<LogState> {
    const before = { ...this.#state, mark: this.#mark };
    const look = await this.#options.reading.look(this.#query, before.mark?.index ?? 0);
    this.#take(look, before);
    this.#options.onLook();
    return look.state;
  }

  async slice(from: number, to: number, maxBytes: number): Promise<readonly LogRecord[]> {
    const own = this.#own.slice(from, to, maxBytes);
    if (own) {
      this.#noteTold(own.at(-1));
      return own;
    }
    const { epoch } = this.#state;
    const { state, records } = await this.#options.reading.slice(this.#query, from, to, maxBytes);
    const isWhole = state.epoch === epoch && from >= state.first && records.length > 0;
    if (isWhole) {
      this.#noteTold(records.at(-1));
      return records;
    }
    await this.look();
    throw state.epoch === epoch ? trimmedGap(from, state.first) : replacedGap();
  }

  /** This process appended records in a row, which are committed. */
  appended(epoch: string, records: readonly LogRecord[]): void {
    const newest = records.at(-1);
    if (newest === undefined || epoch !== this.#state.epoch || this.#outage) return;
    this.#own.add(records);
    this.#advance(newest.index);
  }

  /** Another process says that the log stands at `index`: if that is not so, the next slice finds out. */
  told(epoch: string, index: number): void {
    if (epoch === this.#state.epoch && Number.isSafeInteger(index) && !this.#outage) this.#advance(index);
    else this.stir();
  }

  /** As {@link told} wants it. */
  news(): readonly [epoch: string, index: number] {
    return [this.#state.epoch, this.#state.head];
  }

  /** A transaction of the host's appended a record: it is looked for until it is there, or takes the time of a poll. */
  expect(index: number): void {
    this.#expected = { index, since: performance.now() };
    this.stir();
  }

  /** Makes the loop look now. */
  stir(): void {
    this.#stirred.abort();
  }

  /** The connection broke. */
  lost(): void {
    this.#down(new BrokerError('log_unavailable', 'The connection to the database of the log broke.'));
    this.stir();
  }

  close(): void {
    this.#closed.abort();
    this.stir();
  }

  readonly #query = (text: string, values: unknown[]) => this.#options.connection.query(text, values);

  async #run(): Promise<void> {
    await this.#rest(this.#options.pollMs);
    for (let failures = 0; !this.#closed.signal.aborted;) {
      try {
        await this.#options.connection.connected();
        await this.look();
        failures = 0;
        await this.#rest(this.#restMs());
      } catch (error) {
        this.#down(BrokerError.from(error));
        await pause(backoffMs((failures += 1) + 1), this.#closed.signal);
      }
    }
  }

  #rest(delayMs: number): Promise<void> {
    const stirred = this.#stirred.signal;
    return pause(delayMs, stirred).then(() => {
      if (stirred.aborted) this.#stirred = new AbortController();
    });
  }

  #restMs(): number {
    const { pollMs } = this.#options;
    if (!this.#expected) return pollMs;
    return Math.min(pollMs, Math.max(SHORTEST_LOOK_MS, (performance.now() - this.#expected.since) / PART_OF_AGE));
  }

  /** @param before where the log stood when the look began: only a head before that one has gone back */
  #take(look: LogLook, before: LogState & { readonly mark: Mark | undefined }): void {
    const { state, markTime } = look;
    const isOther = state.epoch !== before.epoch || state.head < before.head;
    const isRewritten = !isOther && markTime !== undefined && markTime !== before.mark?.time;
    if (isRewritten) this.#rewrites += 1;
    if (isOther || isRewritten) this.#own.clear();
    const isOvertaken = !isOther && state.epoch === this.#state.epoch && state.head < this.#state.head;
    this.#state = isOvertaken ? { ...state, head: this.#state.head } : state;
    this.#outage = undefined;
    this.#note(look);
    if (this.#expected && this.#expected.index <= state.head) this.#committed();
  }

  #committed(): void {
    this.#expected = undefined;
    this.#options.onCommitted();
  }

  #note({ state, headTime }: LogLook): void {
    this.#mark = headTime === undefined ? undefined : { index: state.head, time: headTime };
  }

  #noteTold(newest: LogRecord | undefined): void {
    if (newest === undefined || newest.time === 0 || newest.index <= (this.#mark?.index ?? 0)) return;
    this.#mark = { index: newest.index, time: newest.time };
  }

  #advance(index: number): void {
    if (index <= this.#state.head) return;
    this.#state = { ...this.#state, head: index };
    this.#options.onLook();
  }

  #down(outage: BrokerError): void {
    this.#outage = outage;
    // The server may come back without them.
    this.#own.clear();
    this.#options.onLook();
  }
}
