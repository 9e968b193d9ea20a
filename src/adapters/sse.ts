import { eventStreamHandler, type EventStreamHandlerOptions } from './http.ts';

export { parseLastEventId, sseFormat } from './sse-format.ts';

/**
 * Serves a broker's stream as server-sent events, whatever the request accepts: for a path of its own. On one path for both, `eventStreamHandler` sends them to
 * who accepts `text/event-stream`, as a browser's `EventSource` does.
 *
 * ```ts
 * http.createServer(sseHandler({ broker, token: (request) => tokenOfSession(request) })).listen(8080);
 * // in the page: new EventSource('/?topic=Job').onmessage = ({ data }) => …
 * ```
 */
export function sseHandler(options: EventStreamHandlerOptions): ReturnType<typeof eventStreamHandler> {
  const handle = eventStreamHandler(options);
  return (request, response) => {
    request.headers.accept = 'text/event-stream';
    handle(request, response);
  };
}
