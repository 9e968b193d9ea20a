import type { EventLog, LogRecord, LogState, LogStatus, LogTail, TailHandler } from '../core/log/event-log.ts';

/** Where a tail begins. */
export interface TailStart {
  readonly after: number;
  /** The epoch that the log told last. */
  readonly epoch: string;
}

/**
 * A tail that can be cut off. While it is down no tail of the log underneath is open; when it is up again a new one
 * goes on from its position, so that what was trimmed, or replaced, meanwhile is told by the log itself.
 */
export class FaultyTail implements LogTail {
  readonly #log: EventLog;
  readonly #handler: TailHandler;
  readonly #onEnd: (tail: FaultyTail) => void;
  #position: number;
  /** That its handler knows of: another one is told. */
  #epoch: string;
  #inner: LogTail | undefined;
  #isOpen = true;
  #status: LogStatus | undefined;
  /** The call of the handler that is under way, or the last one. */
  #call: Promise<void> = Promise.resolve();

  private constructor(
    log: EventLog,
    { after, epoch }: TailStart,
    handler: TailHandler,
    onEnd: (tail: FaultyTail) => void,
  ) {
    this.#epoch = epoch;
    this.#log = log;
    this.#handler = handler;
    this.#onEnd = onEnd;
    this.#position = after;
  }

  static async open(
    log: EventLog,
    start: TailStart,
    handler: TailHandler,
    onEnd: (tail: FaultyTail) => void,
  ): Promise<FaultyTail> {
    const tail = new FaultyTail(log, start, handler, onEnd);
    await tail.#follow();
    // Asked afterwards: the log underneath compares with what it told last, and tells a reset itself.
    const { head } = await log.state();
    tail.#position = Math.min(tail.#position, head);
    return tail;
  }

  async goDown(cause: Error): Promise<void> {
    const inner = this.#inner;
    this.#inner = undefined;
    await inner?.stop();
    await this.#call;
    this.#tell('down', cause);
  }

  async goUp(): Promise<void> {
    if (this.#inner || !this.#isOpen) return;
    const state = await this.#log.state();
    this.#tell('catching-up');
    if (state.epoch !== this.#epoch || state.head < this.#position) this.#reset(state);
    await this.#follow();
  }

  async stop(): Promise<void> {
    this.#isOpen = false;
    this.#onEnd(this);
    await this.#inner?.stop();
  }

  async #follow(): Promise<void> {
    const inner = await this.#log.tail(this.#position, {
      records: (batch) => this.#records(batch),
      gap: (gap) => {
        this.#position = gap.first - 1;
        this.#handler.gap(gap);
      },
      reset: (state) => this.#reset(state),
      status: (status, cause) => this.#tell(status, cause),
    });
    this.#inner = inner;
    if (!this.#isOpen) await inner.stop();
  }

  #records(batch: readonly LogRecord[]): Promise<void> {
    this.#position = batch.at(-1)?.index ?? this.#position;
    const call = Promise.resolve(this.#handler.records(batch));
    this.#call = call.catch(() => undefined);
    return call;
  }

  #reset(state: LogState): void {
    this.#epoch = state.epoch;
    this.#position = state.head;
    this.#handler.reset(state);
  }

  #tell(status: LogStatus, cause?: Error): void {
    if (!this.#isOpen || status === this.#status) return;
    this.#status = status;
    this.#handler.status(status, cause);
  }
}
