import type { InPlace } from '../model/in-place.ts';
import { sendPlain, type EventStreamHandler, type NodeRequest } from './node-handler.ts';
import { answerOperatorRequest, checkOperator, type OperatorHandlerOptions } from './operator-endpoint.ts';
import { whenItsTurn } from './pipelining.ts';
import type { ReportRequest } from './report-endpoint.ts';
import type { PlainAnswer } from './stream-response.ts';
import { answerTopicsRequest, checkTopicsHandler, type TopicsHandlerOptions } from './topics-endpoint.ts';

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
  checkOperator(options, 'operatorHandler');
  return reportHandler((request: ReportRequest<Request>) => answerOperatorRequest<Request>(options, request));
}

/**
 * Answers with the declared topics that somebody may see something of, as one JSON object (`TopicsReport`): for a list
 * to choose from, as the explorer has one. Whose rights count is found as in `eventStreamHandler`.
 *
 * ```ts
 * app.get('/v1/event/topics', topicsHandler({ broker, acl: (req) => rightsOf(req.session) }));
 * ```
 * @returns a handler whose promise resolves when the answer was written; it never rejects
 * @throws TypeError for an option that is not known or out of its range
 */
export function topicsHandler<Request extends NodeRequest>(
  options: InPlace<TopicsHandlerOptions<Request>, Request>,
): EventStreamHandler<Request> {
  checkTopicsHandler(options, 'topicsHandler');
  return reportHandler((request: ReportRequest<Request>) => answerTopicsRequest<Request>(options, request));
}

function reportHandler<Request extends NodeRequest>(
  answer: (request: ReportRequest<Request>) => Promise<PlainAnswer>,
): EventStreamHandler<Request> {
  // Two parameters: Express counts them.
  return async (request, response) => {
    // What waits behind a stream is not answered before that ends: the host is asked for nothing meanwhile.
    if (!(await whenItsTurn(request, response))) return;
    const { method = 'GET', url = '/', headers } = request;
    const answered = await answer({ own: request, method, url, header: (name) => headers[name] });
    try {
      if (!response.headersSent && !response.destroyed) sendPlain(response, answered);
    } catch {
      // Past the answer it is the response's own failure: a middleware's `writeHead` that throws.
      response.destroy();
    }
  };
}
