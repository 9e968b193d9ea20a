/**
 * Owns re-entrance. Host code that runs within a step (a transport's `write`, an ACL source's `changed`) may call the
 * broker again: what it asks for waits until the outermost step is over, in the order in which it was asked for.
 * Without it a publish from within a flush would take an index before the batch under way has its own, and listeners
 * would find a broker that is half way.
 */
export class ReentryGate {
  #depth = 0;
  #deferred: (() => void)[] = [];

  /** A step is under way. */
  get isBusy(): boolean {
    return this.#depth > 0;
  }

  /** Runs a step; nested ones are part of the outermost. */
  run<R>(step: () => R): R {
    this.enter();
    try {
      return step();
    } finally {
      this.leave();
    }
  }

  /**
   * A step begins. Where a closure for {@link run} would cost too much: {@link leave} must follow, whatever happens.
   */
  enter(): void {
    this.#depth++;
  }

  leave(): void {
    if (--this.#depth === 0) this.#release();
  }

  /** Calls when no step is under way: at once, or when the outermost is over. */
  defer(call: () => void): void {
    if (this.#depth > 0) this.#deferred.push(call);
    else call();
  }

  /**
   * Resolves when the step under way is over; undefined when none is, so that who need not wait goes on in the same
   * turn.
   */
  whenIdle(): Promise<void> | undefined {
    return this.#depth > 0 ? new Promise((resolve) => this.#deferred.push(resolve)) : undefined;
  }

  /** One that throws takes none of the others along. */
  #release(): void {
    const calls = this.#deferred;
    if (calls.length === 0) return;
    this.#deferred = [];
    let done = 0;
    try {
      for (const call of calls) {
        done++;
        call();
      }
    } finally {
      if (done < calls.length) {
        this.#deferred = [...calls.slice(done), ...this.#deferred];
        this.#release();
      }
    }
  }
}
