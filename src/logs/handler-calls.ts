import { BrokerError } from '../model/errors.ts';
import type { LogRecord, LogState, LogStatus, TailHandler } from '../core/log/event-log.ts';

/** What a handler threw: it ends its tail, and nothing else. */
export class HandlerFailure extends Error {}

/** Calls a tail's handler: nothing once the tail has ended, each status once. @throws HandlerFailure */
export class HandlerCalls {
  readonly #handler: TailHandler;
  readonly #stopped: AbortSignal;
  #status: LogStatus | undefined;

  constructor(handler: TailHandler, stopped: AbortSignal) {
    this.#handler = handler;
    this.#stopped = stopped;
  }

  get lastStatus(): LogStatus | undefined {
    return this.#status;
  }

  /** A promise of the handler's is its backpressure. */
  async records(batch: readonly LogRecord[]): Promise<void> {
    if (this.#stopped.aborted) return;
    try {
      await this.#handler.records(batch);
    } catch (cause) {
      throw new HandlerFailure('The handler threw.', { cause });
    }
  }

  gap(after: number, first: number): void {
    this.#tell(() => this.#handler.gap({ after, first }));
  }

  reset({ epoch, first, head }: LogState): void {
    this.#tell(() => this.#handler.reset({ epoch, first, head }));
  }

  status(status: LogStatus, cause?: Error): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#tell(() => this.#handler.status(status, cause));
  }

  #tell(call: () => void): void {
    if (this.#stopped.aborted) return;
    try {
      call();
    } catch (cause) {
      throw new HandlerFailure('The handler threw.', { cause });
    }
  }
}

/** The last word of a tail that its handler ended. What the handler throws at that, nobody is left to hear. */
export function tellEnd(handler: TailHandler, thrown: unknown): void {
  try {
    handler.status('down', BrokerError.from(thrown));
  } catch {
    // It has ended already.
  }
}
