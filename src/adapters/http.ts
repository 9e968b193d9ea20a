import type { InPlace } from '../model/in-place.ts';
import { describe } from '../model/describe.ts';
import {
  nodeHandler,
  nodeOptions,
  type EventStreamHandler,
  type EventStreamHandlerOptions,
  type NodeRequest,
} from './node-handler.ts';
import { checkEndpoint } from './stream-endpoint.ts';

export type { EventStreamHandler, EventStreamHandlerOptions, NodeRequest } from './node-handler.ts';
export type { NodeResponse } from './response-sink.ts';
export type { InPlace } from '../model/in-place.ts';
export { operatorHandler, topicsHandler } from './report-handlers.ts';
export type { OperatorHandlerOptions, OperatorSource } from './operator-endpoint.ts';
export type { TopicsHandlerOptions, TopicsReport, TopicsSource } from './topics-endpoint.ts';
export type { OperatorReport, ReportSource } from './operator-report.ts';
export type { StreamEndpointOptions, StreamSource } from './stream-endpoint.ts';

/**
 * Serves a broker's event stream, whatever the path it is mounted on, to `node:http`, `node:http2` (compatibility API),
 * Express and Connect.
 *
 * ```ts
 * http.createServer(eventStreamHandler({ broker })).listen(4646);
 * app.get('/v1/event/stream', eventStreamHandler({ broker, acl: (req) => rightsOf(req.session) }));
 * const handler = eventStreamHandler<express.Request>({ broker, acl: (req) => … }); // where no place says what req is
 * ```
 * @returns a handler whose promise resolves when the answer has begun, or is over; it never rejects
 * @throws TypeError for an option that is not known or out of its range
 */
export function eventStreamHandler<Request extends NodeRequest>(
  options: InPlace<EventStreamHandlerOptions<Request>, Request>,
): EventStreamHandler<Request> {
  checkEndpoint<EventStreamHandlerOptions<Request>>(options, 'eventStreamHandler', nodeOptions);
  checkWriter(options.writer);
  const handle = nodeHandler<Request>(options);
  // Two parameters: Express counts them.
  return (request, response) => handle(request, response, request);
}

function checkWriter(writer: unknown = 'auto'): void {
  if (writer === 'auto' || writer === 'response') return;
  throw new TypeError(`writer must be 'auto' or 'response'; got ${describe(writer)}.`);
}
