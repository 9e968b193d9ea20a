import { checkNumber, indexOrNone } from '../model/numbers.ts';
import { BrokerError } from '../model/errors.ts';
import type { LogRecord, LogState, LogStatus, LogTail, TailHandler } from '../core/log/event-log.ts';
import { tellEnd } from './handler-calls.ts';
import { SLICE_BYTES } from './read-request.ts';
import { turnOfLoop } from './record-source.ts';
import type { TailSource } from './record-source.ts';

/**
 * A tail over a {@link TailSource}. It holds a position and no queue: what was appended while the handler was busy is
 * read from the source, one slice at a time. One loop makes every call, so calls cannot overlap.
 *
 * A handler that throws ends its tail, which says so once (`down`, with what was thrown); the log and its other tails
 * go on.
 */
export class LocalTail implements LogTail {
  readonly #source: TailSource;
  readonly #handler: TailHandler;
  readonly #onEnd: (tail: LocalTail) => void;
  #epoch: string;
  #position: number;
  #rewrites: number | undefined;
  #status: LogStatus | undefined;
  #isOpen = true;
  #wake: (() => void) | undefined;

  /**
   * @param after clamped to the head: a position that the log does not have yet waits for the next record
   * @param epoch that `after` is of: another one is told as a `reset`
   */
  constructor(
    source: TailSource,
    after: number,
    epoch: string,
    handler: TailHandler,
    onEnd: (tail: LocalTail) => void,
  ) {
    checkNumber('after', after, indexOrNone);
    const { head, rewrites } = source.state();
    this.#source = source;
    this.#handler = handler;
    this.#onEnd = onEnd;
    this.#epoch = epoch;
    this.#rewrites = rewrites;
    this.#position = Math.min(after, head);
    void this.#run();
  }

  /** Looks for new records. Call it after every change of the source. */
  wake(): void {
    this.#wake?.();
  }

  /** Does not wait for a call that is under way, so that a handler may stop its own tail. */
  async stop(): Promise<void> {
    this.#end();
  }

  async #run(): Promise<void> {
    // The caller gets the tail before its handler is called for the first time.
    await turnOfLoop();
    while (this.#isOpen) await this.#step().catch((thrown: unknown) => this.#failed(thrown));
  }

  async #step(): Promise<void> {
    const state = this.#stateOrDown();
    return state instanceof Error ? this.#rest('down', state) : this.#advance(state);
  }

  #stateOrDown(): ReturnType<TailSource['state']> | Error {
    try {
      return this.#source.state();
    } catch (thrown) {
      return BrokerError.from(thrown);
    }
  }

  async #advance({ rewrites, ...state }: ReturnType<TailSource['state']>): Promise<void> {
    const isOther = state.epoch !== this.#epoch || state.head < this.#position;
    if (isOther || rewrites !== this.#rewrites) {
      this.#rewrites = rewrites;
      return this.#reset(isOther ? state : { ...state, head: state.first - 1 });
    }
    if (this.#position === state.head) return this.#rest('up');
    if (this.#status !== 'up') this.#tell('catching-up');
    if (!this.#isOpen) return;
    if (this.#position + 1 < state.first) return this.#skipTo(state.first);
    await this.#deliver(state.head);
    if (this.#position < state.head) await turnOfLoop();
  }

  async #deliver(head: number): Promise<void> {
    const batch = await this.#sliceOrGap(head);
    if (!this.#isOpen) return;
    // Trimmed while it was being read: the next look at the state says how far.
    if (batch === 'gap') return turnOfLoop();
    if (batch instanceof Error) return this.#rest('down', batch);
    this.#position += batch.length;
    await this.#handler.records(batch);
  }

  async #sliceOrGap(head: number): Promise<readonly LogRecord[] | 'gap' | Error> {
    try {
      return await this.#source.slice(this.#position + 1, head, SLICE_BYTES);
    } catch (thrown) {
      const error = BrokerError.from(thrown);
      return error.code === 'gap' ? 'gap' : error;
    }
  }

  #reset(state: LogState): void {
    this.#epoch = state.epoch;
    this.#position = state.head;
    this.#handler.reset(state);
  }

  #skipTo(first: number): void {
    const after = this.#position;
    this.#position = first - 1;
    this.#handler.gap({ after, first });
  }

  #tell(status: LogStatus, cause?: Error): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#handler.status(status, cause);
  }

  async #rest(status: LogStatus, cause?: Error): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    this.#tell(status, cause);
    if (this.#isOpen) await woken;
    this.#wake = undefined;
  }

  #failed(thrown: unknown): void {
    if (!this.#isOpen) return;
    this.#end();
    tellEnd(this.#handler, thrown);
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#wake?.();
    this.#onEnd(this);
  }
}
