import { checkNumber, whole } from '../model/numbers.ts';
import type { ManagementCredentials } from '../core/broker/admission.ts';
import type { Acl } from '../acl/acl.ts';
import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import type { InPlace } from '../model/in-place.ts';
import { checkOptions, type OptionNames } from '../model/options.ts';
import { sendPlain, type EventStreamHandler, type NodeRequest } from './node-handler.ts';
import { parseReportRequest, reportOf, type ReportSource } from './operator-report.ts';
import type { NodeResponse } from './response-sink.ts';
import { checkHostFunctions, credentialOf } from './stream-endpoint.ts';
import { allowedMethods, errorAnswer, plainHeaders, type PlainAnswer } from './stream-response.ts';

/** As much of a broker as an operator's endpoint needs: one of any topics will do. */
export interface OperatorSource extends ReportSource {
  requireManagement(credentials: ManagementCredentials): Promise<void>;
}

export interface OperatorHandlerOptions<Request = NodeRequest> {
  readonly broker: OperatorSource;
  /** The most streams that one answer lists. Default 500; a thousand are about 250 KB. */
  readonly maxStreams?: number;
  /** As in `eventStreamHandler`: finds the token's secret in a request. */
  token?(request: Request): string | undefined | Promise<string | undefined>;
  /** As in `eventStreamHandler`: the rights of who sent a request. Not beside `token`. */
  acl?(request: Request): Acl | Promise<Acl>;
}

const knownOptions: OptionNames<OperatorHandlerOptions<never>> = {
  broker: true,
  maxStreams: true,
  token: true,
  acl: true,
};

/**
 * Answers with what an operator wants to know of a broker, as one JSON object (`OperatorReport`): its figures and its
 * streams, those first that are furthest behind. `?accessor=` lists the streams of one accessor alone, `?limit=` fewer.
 *
 * For management alone: whoever sees it sees what everybody reads. Anybody else gets `403`. A broker without `acl`
 * knows no tokens, and `403` is for everybody then, unless the host's own `acl` says who is management.
 *
 * ```ts
 * app.get('/v1/operator/streams', operatorHandler({ broker }));
 * operatorHandler({ broker, acl: () => Acl.management }); // behind a login of the host's own
 * ```
 * @returns a handler whose promise resolves when the answer was written; it never rejects
 * @throws TypeError for an option that is not known or out of its range
 */
export function operatorHandler<Request extends NodeRequest>(
  options: InPlace<OperatorHandlerOptions<Request>, Request>,
): EventStreamHandler<Request> {
  checkOperator(options);
  return async (request, response) => send(response, await answerReportRequest(options, request));
}

function checkOperator(options: OperatorHandlerOptions<never>): void {
  checkOptions(options, knownOptions, 'operatorHandler');
  const { broker, maxStreams = 1 } = (options ?? {}) as Partial<typeof options>;
  if (typeof broker?.requireManagement !== 'function')
    throw new TypeError(`operatorHandler needs a broker: { broker: new EventBroker() }; got ${describe(broker)}.`);
  checkNumber('maxStreams', maxStreams, whole(1));
  checkHostFunctions(options, 'operatorHandler');
}

/** Never throws: whatever fails is an answer. */
async function answerReportRequest<Own extends NodeRequest>(
  endpoint: OperatorHandlerOptions<Own>,
  request: Own,
): Promise<PlainAnswer> {
  const { broker, maxStreams = 500 } = endpoint;
  const { method = 'GET', url = '/', headers } = request;
  try {
    if (method === 'OPTIONS') return { status: 204, headers: { Allow: allowedMethods }, body: '' };
    if (method !== 'GET' && method !== 'HEAD')
      throw new BrokerError('method_not_allowed', `Method ${method} is not allowed here; allowed: ${allowedMethods}.`);
    // Before the query is read: who may not see this is told nothing else.
    await broker.requireManagement(credentialOf(endpoint, { own: request, header: (name) => headers[name] }));
    const report = reportOf(broker, parseReportRequest(url, maxStreams));
    const body = method === 'HEAD' ? '' : `${JSON.stringify(report)}\n`;
    return { status: 200, headers: plainHeaders, body };
  } catch (error) {
    return errorAnswer(BrokerError.from(error));
  }
}

function send(response: NodeResponse, answer: PlainAnswer): void {
  try {
    if (!response.headersSent && !response.destroyed) sendPlain(response, answer);
  } catch {
    // Past the answer it is the response's own failure: a middleware's `writeHead` that throws.
    response.destroy();
  }
}
