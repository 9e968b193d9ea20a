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
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
    'X-Content-Type-Options': 'nosniff',
    'X-Fenceline-Epoch': epoch,
  };
}

/** How many seconds a client should wait after a 503. */
const RETRY_AFTER_S = 1;

/** Status, headers and body of an answer that is no stream. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer to a request that got no stream. */
export function errorAnswer(error: BrokerError): PlainAnswer {
  const { status } = error;
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  };
  if (status === 503) headers['Retry-After'] = String(RETRY_AFTER_S);
  if (status === 405) headers['Allow'] = allowedMethods;
  return { status, headers, body: `${JSON.stringify(error.toWire())}\n` };
}
