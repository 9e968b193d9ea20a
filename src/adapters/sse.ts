import { eventStreamHandler, type EventStreamHandlerOptions } from './http.ts';

export { parseLastEventId, sseFormat } from './sse-format.ts';

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
 */
export function sseHandler(options: Omit<EventStreamHandlerOptions, 'format'>): ReturnType<typeof eventStreamHandler> {
  return eventStreamHandler({ ...options, format: 'sse' });
}
