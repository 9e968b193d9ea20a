import type { BrokerError } from '../model/errors.ts';

/** Methods that the endpoint answers. */
export const allowedMethods = 'GET, HEAD, OPTIONS';

/**
 * Headers of a stream. The epoch is to be sent back, with the index, on resuming.
 * @throws TypeError for an epoch that no header can hold; a log names it
 */
export function streamHeaders(contentType: string, epoch: string): Readonly<Record<string, string>> {
  if (!/^[\x21-\x7e]+$/.test(epoch)) throw new TypeError('An epoch must be printable ASCII without spaces.');
  return {
    'Content-Type': contentType,
    'Cache-Control': 'no-cache, no-store, no-transform',
    'X-Accel-Buffering': 'no',
    'X-Content-Type-Options': 'nosniff',
    'X-Fenceline-Epoch': epoch,
    // Without it a page of another origin would not see the epoch, and believe an index of another run.
    [EXPOSE_HEADERS]: 'X-Fenceline-Epoch',
  };
}

export const EXPOSE_HEADERS = 'Access-Control-Expose-Headers';

/**
 * Headers of ours beside what a host's middleware has set: the names that it exposes to pages of other origins stay
 * exposed.
 * @param others what it has set for {@link EXPOSE_HEADERS}
 */
export function withExposed(
  headers: Readonly<Record<string, string>>,
  others: unknown,
): Readonly<Record<string, string>> {
  const own = headers[EXPOSE_HEADERS];
  if (own === undefined || typeof others !== 'string' || others === '') return headers;
  return { ...headers, [EXPOSE_HEADERS]: `${others}, ${own}` };
}

/**
 * How many seconds a client should wait after a 503: from one to three, so that those who were refused together do not
 * come back together.
 */
const retryAfterS = (): number => 1 + Math.floor(Math.random() * 3);

/** Status, headers and body of an answer that is no stream. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Headers of every answer that is JSON and no stream. */
export const plainHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/** The answer to a request that got no stream. */
export function errorAnswer(error: BrokerError): PlainAnswer {
  const { status } = error;
  const headers: Record<string, string> = { ...plainHeaders };
  if (status === 503) {
    headers['Retry-After'] = String(retryAfterS());
    headers[EXPOSE_HEADERS] = 'Retry-After';
  }
  if (status === 405) headers['Allow'] = allowedMethods;
  return { status, headers, body: `${JSON.stringify(error.toWire())}\n` };
}
