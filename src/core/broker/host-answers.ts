import type { Clock } from '../../model/clock.ts';
import { withDeadline } from '../../model/deadline.ts';
import { BrokerError } from '../../model/errors.ts';

/** Asks a function of the host's. */
export type AskHost = <R>(ask: () => R | Promise<R>) => Promise<R>;

/**
 * Asks what a host left to a function: it finds a token or a pin in a request of its server. What it throws, or that it
 * never answers, is the host's to hear of, as the cause; the client hears that the server failed.
 * @param limitMs how long it may take
 * @returns what asks, and rejects with BrokerError `internal`; with what the function throws as a BrokerError, as it is
 */
export function hostAnswers(clock: Pick<Clock, 'after'>, limitMs: number): AskHost {
  const late = (): Error => BrokerError.from(new Error(`The host did not answer within ${limitMs} ms.`));
  return async <R>(ask: () => R | Promise<R>): Promise<R> => {
    try {
      return await withDeadline(clock, limitMs, Promise.resolve(ask()), late);
    } catch (error) {
      throw BrokerError.from(error);
    }
  };
}
