import type { LogTail, TailHandler } from '../core/log/event-log.ts';
import { HandlerCalls, HandlerFailure, tellEnd } from './handler-calls.ts';
import { turnOfLoop } from './record-source.ts';

/**
 * A tail that follows a server: it goes on after each trouble, until it is stopped. One loop makes every call of the
 * handler. A handler that throws ends its tail, which says so once (`down`, with what was thrown).
 */
export abstract class FollowedTail implements LogTail {
  protected readonly handler: HandlerCalls;
  /** How often in a row following failed; who follows sets it back when something came. */
  protected failures = 0;
  readonly #stopped = new AbortController();
  /** For the last word of a tail that its handler ended: nothing more is told by the calls then. */
  readonly #tellEnd: (thrown: unknown) => void;

  constructor(handler: TailHandler) {
    this.handler = new HandlerCalls(handler, this.stopped);
    this.#tellEnd = (thrown) => tellEnd(handler, thrown);
    void this.#run();
  }

  /** Follows until something is in the way. */
  protected abstract follow(): Promise<void>;

  /** Waits, and tells `down` where it has to be told; `failures` counts this one. Then it follows anew. */
  protected abstract recover(error: unknown): Promise<void>;

  /** It is over: called once. */
  protected abstract onEnd(): void;

  /** Aborted when it is over. */
  protected get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  protected get isOpen(): boolean {
    return !this.stopped.aborted;
  }

  /** Does not wait for a call that is under way, so that a handler may stop its own tail. */
  async stop(): Promise<void> {
    this.#end();
  }

  async #run(): Promise<void> {
    // The caller gets the tail before its handler is called for the first time.
    await turnOfLoop();
    while (this.isOpen) {
      try {
        await this.follow().catch((error: unknown) => this.#recover(error));
      } catch (failure) {
        this.#handlerFailed(failure);
      }
    }
  }

  async #recover(error: unknown): Promise<void> {
    if (error instanceof HandlerFailure) throw error;
    if (!this.isOpen) return;
    this.failures += 1;
    await this.recover(error);
  }

  #handlerFailed(failure: unknown): void {
    if (!this.isOpen) return;
    this.#end();
    this.#tellEnd(failure instanceof HandlerFailure ? failure.cause : failure);
  }

  #end(): void {
    if (!this.isOpen) return;
    this.#stopped.abort();
    this.onEnd();
  }
}
