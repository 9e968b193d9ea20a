import { EventLines } from './event-lines.ts';
import { StreamError } from './stream-error.ts';
import type { StreamPart } from './stream-features.ts';
import type { ServerSentEvents } from './stream-parts.ts';
import { WatchedLines } from './watched-lines.ts';

const support: ServerSentEvents = {
  part: 'serverSentEvents',
  lines(response, settings) {
    const isEvents = /^text\/event-stream/i.test(response.headers.get('Content-Type') ?? '');
    return new (isEvents ? EventLines : WatchedLines)(response, settings);
  },
  after(error, { isSilent }, request) {
    // A server that has none, and says so: it is asked for lines again.
    const isUnknown = request.isEvents && StreamError.is(error) && error.status === 406;
    if (isSilent || isUnknown) request.isEvents = !request.isEvents;
    return isUnknown ? new StreamError(error.code, error.message, 'resume', { status: 406 }) : undefined;
  },
};

/** Reads server-sent events where a proxy holds ndjson back. See {@link StreamFeatures}. */
export const serverSentEvents: StreamPart<'serverSentEvents'> = support;
