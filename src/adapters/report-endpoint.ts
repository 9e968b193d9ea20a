import { BrokerError } from '../model/errors.ts';
import type { EndpointRequest } from './stream-endpoint.ts';
import { allowedMethods, errorAnswer, plainHeaders, type PlainAnswer } from './stream-response.ts';

/** A request for a report: nothing of it lasts, so that nobody has to hear when the client is gone. */
export type ReportRequest<Own> = Omit<EndpointRequest<Own>, 'signal'>;

/**
 * Answers with one JSON object. Never throws: whatever fails is an answer.
 * @param report makes the object, and throws what the client is to be refused with
 */
export async function answerWithReport(
  { method }: Pick<ReportRequest<unknown>, 'method'>,
  report: () => Promise<object>,
): Promise<PlainAnswer> {
  try {
    if (method === 'OPTIONS') return { status: 204, headers: { Allow: allowedMethods }, body: '' };
    if (method !== 'GET' && method !== 'HEAD')
      throw new BrokerError('method_not_allowed', `Method ${method} is not allowed here; allowed: ${allowedMethods}.`);
    const text = `${JSON.stringify(await report())}\n`;
    return { status: 200, headers: plainHeaders, body: method === 'HEAD' ? '' : text };
  } catch (error) {
    return errorAnswer(BrokerError.from(error));
  }
}
