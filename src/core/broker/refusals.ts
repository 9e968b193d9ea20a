import { BrokerError, type LimitName } from '../../model/errors.ts';
import type { Notify, RefusalNotice } from './broker-notifications.ts';

/** Counts and tells what is refused for one of the broker's limits. */
export class Refusals {
  readonly #notify: Notify;
  readonly #counts: Partial<Record<LimitName, number>> = {};

  constructor(notify: Notify) {
    this.#notify = notify;
  }

  /** By limit; one that refused nothing is not in it. */
  get counts(): Readonly<Partial<Record<LimitName, number>>> {
    return { ...this.#counts };
  }

  /**
   * Looks at why something failed: anything else than a limit is left alone.
   * @param about what was asked for, where it is known by now
   */
  note(error: unknown, about: Omit<RefusalNotice, 'limit' | 'error'>): void {
    if (!BrokerError.is(error) || error.limit === undefined) return;
    const { limit } = error;
    this.#counts[limit] = (this.#counts[limit] ?? 0) + 1;
    this.#notify('refused', { ...about, limit, error });
  }
}
