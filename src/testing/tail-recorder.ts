import { AssertionError } from 'node:assert';

import type { LogRecord, LogState, LogStatus, TailHandler } from '../core/log/event-log.ts';
import { deferred } from './deferred.ts';

export type TailStatus = LogStatus;

/** One call of a tail's handler. */
export type TailCall =
  | { readonly type: 'records'; readonly batch: readonly LogRecord[] }
  | { readonly type: 'gap'; readonly after: number; readonly first: number }
  | { readonly type: 'reset'; readonly state: LogState }
  | { readonly type: 'status'; readonly status: TailStatus; readonly cause: Error | undefined };

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
}

/**
 * A tail's handler that writes down what it is told, and checks that no two calls overlap. It holds all records: for
 * tests.
 *
 * ```ts
 * const recorder = new TailRecorder();
 * await log.tail(0, recorder);
 * await recorder.until(() => recorder.records.length === 3);
 * ```
 */
export class TailRecorder implements TailHandler {
  readonly calls: TailCall[] = [];
  readonly #deadlineMs: number;
  readonly #waiters = new Set<Waiter>();
  #paused: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  #isBusy = false;
  #overlaps = 0;

  /** @param deadlineMs how long {@link until} waits at most; default 30 s */
  constructor(deadlineMs = 30_000) {
    this.#deadlineMs = deadlineMs;
  }

  get recorded(): readonly LogRecord[] {
    return this.calls.flatMap((call) => (call.type === 'records' ? call.batch : []));
  }

  get indexes(): readonly number[] {
    return this.recorded.map(({ index }) => index);
  }

  get statuses(): readonly TailStatus[] {
    return this.calls.flatMap((call) => (call.type === 'status' ? [call.status] : []));
  }

  /** How many calls came while another one was under way; 0 for a tail that keeps its word. */
  get overlaps(): number {
    return this.#overlaps;
  }

  /** From now on `records` returns a promise that waits for {@link resume}. */
  pause(): void {
    const { promise, resolve } = deferred();
    this.#paused ??= { over: promise, end: resolve };
  }

  resume(): void {
    this.#paused?.end();
    this.#paused = undefined;
  }

  /**
   * Resolves when the calls so far make `isMet` true.
   * @throws AssertionError after the deadline, with the calls so far
   */
  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new AssertionError({ message: `A tail was waited for in vain. It told: ${this.#summary()}` }));
      }, this.#deadlineMs);
      const met = () => {
        clearTimeout(deadline);
        resolve();
      };
      const waiter: Waiter = { isMet, resolve: met };
      this.#waiters.add(waiter);
    });
  }

  async records(batch: readonly LogRecord[]): Promise<void> {
    this.#note({ type: 'records', batch });
    this.#isBusy = true;
    try {
      await this.#paused?.over;
    } finally {
      this.#isBusy = false;
    }
  }

  gap({ after, first }: { readonly after: number; readonly first: number }): void {
    this.#note({ type: 'gap', after, first });
  }

  reset(state: LogState): void {
    this.#note({ type: 'reset', state });
  }

  status(status: TailStatus, cause?: Error): void {
    this.#note({ type: 'status', status, cause });
  }

  #note(call: TailCall): void {
    if (this.#isBusy) this.#overlaps += 1;
    this.calls.push(call);
    for (const waiter of this.#waiters) {
      if (!waiter.isMet()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #summary(): string {
    return this.calls
      .map((call) =>
        call.type === 'records' ? `records ${call.batch[0]?.index}…${call.batch.at(-1)?.index}` : JSON.stringify(call),
      )
      .join(', ');
  }
}
