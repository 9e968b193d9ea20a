/// <reference lib="esnext.disposable" preserve="true" />
import { systemClock } from '../model/clock.ts';
import type { Clock } from '../model/clock.ts';
import { BrokerError } from '../model/errors.ts';
import { checkOptions } from '../model/options.ts';
import type {
  AppendOptions,
  AppendResult,
  EventLog,
  LogCapabilities,
  LogRecord,
  LogState,
  LogTail,
  PinnedRecord,
  ReadOptions,
  Retention,
  TailHandler,
} from '../core/log/event-log.ts';
import { deferred } from './deferred.ts';
import { FaultyTail } from './faulty-tail.ts';

export interface FaultyEventLogOptions {
  /** What {@link FaultyEventLog.delayAppends} waits on; default the machine's clock. */
  readonly clock?: Clock;
}

/**
 * Whether the fault comes before the record is in the log (it never will be) or after (only the answer is lost or
 * late).
 */
export type FaultMoment = 'before' | 'after';

/** Like a batch, but none that a broker would have written. */
const NOT_OURS = new TextEncoder().encode('{"v":1,"events":[null]}\n');

/** An append that {@link FaultyEventLog.holdNextAppend} stopped. */
export interface HeldAppend {
  /** Resolves when an append has come to the held place. */
  readonly arrived: Promise<void>;
  release(): void;
  /** The append fails with this; default `log_unavailable`. */
  fail(error?: Error): void;
}

interface AppendFault {
  readonly moment: FaultMoment;
  readonly pass: () => Promise<void>;
}

interface ReadFault {
  readonly afterChunks: number;
  readonly retention: Retention;
}

/**
 * An `EventLog` around another one, with faults as the test asks for them. It does nothing by chance and nothing by
 * itself. Closing it closes the other one.
 */
export class FaultyEventLog implements EventLog {
  readonly capabilities: LogCapabilities;
  readonly trim?: (retention: Retention) => Promise<LogState>;
  readonly pinned?: (options?: ReadOptions) => AsyncIterable<readonly PinnedRecord[]>;
  readonly #log: EventLog;
  /** That it told last. */
  #epoch: string | undefined;
  readonly #clock: Clock;
  readonly #tails = new Set<FaultyTail>();
  readonly #appendFaults: AppendFault[] = [];
  #readFault: ReadFault | undefined;
  #appendDelayMs = 0;
  #down: Error | undefined;
  /** Going down and up take turns, in the order in which they were asked for. */
  #change: Promise<void> = Promise.resolve();

  /** @throws TypeError for an option that is not known */
  constructor(log: EventLog, options: FaultyEventLogOptions = {}) {
    checkOptions<FaultyEventLogOptions>(options, { clock: true }, 'FaultyEventLog');
    const { clock = systemClock } = options;
    this.#log = log;
    this.#clock = clock;
    this.capabilities = log.capabilities;
    if (log.pinned) this.pinned = (options) => this.#pinned(options);
    if (log.trim) this.trim = (retention) => this.#trim(retention);
  }

  /** From now on each append waits so long before it reaches the log. */
  delayAppends(delayMs: number): void {
    this.#appendDelayMs = delayMs;
  }

  /** The next append fails, `'after'`: though its record is in the log. Asked for twice, the next two do. */
  failNextAppend(moment: FaultMoment, error: Error = unavailable()): void {
    this.#appendFaults.push({ moment, pass: () => Promise.reject(error) });
  }

  /** The next append waits until it is told how to go on; those after it do not wait for it. */
  holdNextAppend(moment: FaultMoment = 'before'): HeldAppend {
    const arrived = deferred();
    const decided = deferred();
    // Nobody may have come yet to hear of a failure.
    decided.promise.catch(() => undefined);
    const pass = () => {
      arrived.resolve();
      return decided.promise;
    };
    this.#appendFaults.push({ moment, pass });
    return {
      arrived: arrived.promise,
      release: () => decided.resolve(),
      fail: (error = unavailable()) => decided.reject(error),
    };
  }

  /**
   * The next `read` finds the log trimmed after it has handed over so many chunks.
   * @throws Error for a log that cannot
   * `trim`
   */
  trimDuringRead(afterChunks: number, retention: Retention): void {
    if (!this.#log.trim) throw new Error('The log that this one is around has no trim().');
    this.#readFault = { afterChunks, retention };
  }

  /**
   * Puts a record into the log that no broker wrote, as another program that shares the log may, or one that is
   * damaged. Faults of appends do not meet it.
   * @returns its index, where readers have to be told a gap
   */
  async poison(body: Uint8Array = NOT_OURS): Promise<number> {
    const { index } = await this.#log.append(body);
    return index;
  }

  /**
   * The log no longer answers: every call fails with `log_unavailable`, tails say `down`. Resolves when all tails have
   * said so.
   */
  goDown(cause: Error = new Error('The log is down.')): Promise<void> {
    this.#down = cause;
    this.#change = this.#change.then(() => this.#eachTail((tail) => tail.goDown(cause)));
    return this.#change;
  }

  /** The log answers again; tails go on from where they were. */
  goUp(): Promise<void> {
    this.#down = undefined;
    this.#change = this.#change.then(() => this.#eachTail((tail) => tail.goUp()));
    return this.#change;
  }

  async state(): Promise<LogState> {
    this.#requireUp();
    const state = await this.#log.state();
    this.#epoch = state.epoch;
    return state;
  }

  async append(body: Uint8Array, options?: AppendOptions): Promise<AppendResult> {
    const fault = this.#appendFaults.shift();
    if (this.#appendDelayMs > 0) await this.#pause(this.#appendDelayMs);
    if (fault?.moment === 'before') await fault.pass();
    this.#requireUp();
    const result = await this.#log.append(body, options);
    if (fault?.moment === 'after') await fault.pass();
    return result;
  }

  async *read(from: number, to: number, options?: ReadOptions): AsyncGenerator<readonly LogRecord[], void, undefined> {
    const fault = this.#readFault;
    this.#readFault = undefined;
    this.#requireUp();
    let chunks = 0;
    for await (const chunk of this.#log.read(from, to, options)) {
      yield chunk;
      chunks += 1;
      this.#requireUp();
      if (fault?.afterChunks === chunks) await this.#log.trim?.(fault.retention);
    }
  }

  async tail(after: number, handler: TailHandler): Promise<LogTail> {
    this.#requireUp();
    const epoch = this.#epoch ?? (await this.state()).epoch;
    const tail = await FaultyTail.open(this.#log, { after, epoch }, handler, (ended) => this.#tails.delete(ended));
    this.#tails.add(tail);
    return tail;
  }

  async close(): Promise<void> {
    await this.#eachTail((tail) => tail.stop());
    await this.#log.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #trim(retention: Retention): Promise<LogState> {
    this.#requireUp();
    await this.#log.trim?.(retention);
    return this.#log.state();
  }

  async *#pinned(options?: ReadOptions): AsyncGenerator<readonly PinnedRecord[], void, undefined> {
    this.#requireUp();
    for await (const chunk of this.#log.pinned?.(options) ?? []) {
      yield chunk;
      this.#requireUp();
    }
  }

  #requireUp(): void {
    if (this.#down) throw unavailable(this.#down);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(delayMs, resolve));
  }

  async #eachTail(act: (tail: FaultyTail) => Promise<void>): Promise<void> {
    await Promise.all([...this.#tails].map(act));
  }
}

function unavailable(cause?: Error): BrokerError {
  return new BrokerError('log_unavailable', 'The log does not answer.', { cause });
}
