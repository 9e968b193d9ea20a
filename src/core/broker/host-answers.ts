import type { Clock } from '../../model/clock.ts';
import { withDeadline } from '../../model/deadline.ts';
import { describe } from '../../model/describe.ts';
import { BrokerError } from '../../model/errors.ts';
import type { AnsweredSubscribe, SubscribeOptions } from './subscribe-request.ts';

/**
 * Asks what a host left to functions: they find a token or a pin in a request of its server. What they throw, answer
 * wrongly or never answer is the host's to hear of, as the cause; the client hears that the server failed.
 * @param limitMs how long all of it may take
 * @returns a promise only where there is a function: a subscription of plain options is opened in the same turn
 * @throws BrokerError `internal`; what a function throws as a BrokerError, as it is
 */
export function answered(
  options: SubscribeOptions,
  clock: Pick<Clock, 'after'>,
  limitMs: number,
): AnsweredSubscribe | Promise<AnsweredSubscribe> {
  const { token, pin, ...others } = options;
  if (typeof token !== 'function' && typeof pin !== 'function') return { ...others, token, pin };
  const late = (): Error =>
    new BrokerError('internal', FAILED, { cause: new Error(`No answer within ${limitMs} ms.`) });
  return withDeadline(clock, limitMs, askAll(options), late);
}

const FAILED = 'The server failed to serve this stream.';

async function askAll({ token, pin, ...others }: SubscribeOptions): Promise<AnsweredSubscribe> {
  try {
    const secret = typeof token === 'function' ? await token() : token;
    if (secret !== undefined && typeof secret !== 'string')
      throw new TypeError(`token must find a text or undefined; got ${describe(secret)}.`);
    return { ...others, token: secret, pin: typeof pin === 'function' ? await pin() : pin };
  } catch (error) {
    throw BrokerError.from(error);
  }
}
