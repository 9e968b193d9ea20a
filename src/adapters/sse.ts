import type { InPlace } from '../model/in-place.ts';
import type { OptionNames } from '../model/options.ts';
import {
  nodeHandler,
  type EventStreamHandler,
  type EventStreamHandlerOptions,
  type NodeRequest,
} from './node-handler.ts';
import { checkEndpoint } from './stream-endpoint.ts';

export { parseLastEventId, sseFormat } from './sse-format.ts';
export type { EventStreamHandler, NodeRequest } from './node-handler.ts';
export type { NodeResponse } from './response-sink.ts';
export type { InPlace } from '../model/in-place.ts';
export type { StreamEndpointOptions, StreamSource } from './stream-endpoint.ts';

export type SseHandlerOptions<Request = NodeRequest> = Omit<EventStreamHandlerOptions<Request>, 'format'>;

/** Its format is no option. */
const sseOptions: OptionNames<SseHandlerOptions<never>> = {
  broker: true,
  heartbeatMs: true,
  compression: true,
  token: true,
  acl: true,
  pin: true,
  writer: true,
};

/**
 * Serves a broker's stream as server-sent events, whatever the request accepts: for a path of its own. On one path for
 * both, `eventStreamHandler` sends them to who accepts `text/event-stream`, as a browser's `EventSource` does. Other
 * mounts take the option `format: 'sse'`.
 *
 * `EventSource` cannot set headers: let `token` find the token in a cookie or a session. It reconnects by itself and
 * resumes where it was; an answer that is no stream (`400`, `403`, `410`, `503`) ends it for good, so that the page
 * must make a new one.
 *
 * ```ts
 * http.createServer(sseHandler({ broker, token: (request) => tokenOfSession(request) })).listen(8080);
 * // in the page: new EventSource('/?topic=Job').onmessage = ({ data }) => …
 * ```
 * @throws TypeError for an option that is not known or out of its range
 */
export function sseHandler<Request extends NodeRequest>(
  options: InPlace<SseHandlerOptions<Request>, Request>,
): EventStreamHandler<Request> {
  checkEndpoint<SseHandlerOptions<Request>>(options, 'sseHandler', sseOptions);
  const handle = nodeHandler<Request>({ ...options, format: 'sse' });
  return (request, response) => handle(request, response, request);
}
