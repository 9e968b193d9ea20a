import { EventLines } from './event-lines.ts';
import { silence } from './silence.ts';
import { StreamError } from './stream-error.ts';
import type { StreamPart } from './stream-features.ts';
import type { ServerSentEvents } from './stream-parts.ts';

const support: ServerSentEvents = {
  part: 'serverSentEvents',
  silence,
  lines: ({ headers }, maxLineBytes) =>
    /^text\/event-stream/i.test(headers.get('Content-Type') ?? '') ? new EventLines(maxLineBytes) : undefined,
  after(error, isSilent, request) {
    // A server that has none, and says so: it is asked for lines again.
    const isUnknown = request.isEvents && StreamError.is(error) && error.status === 406;
    if (isSilent || isUnknown) request.isEvents = !request.isEvents;
    return isUnknown ? new StreamError(error.code, error.message, 'resume', { status: 406 }) : error;
  },
};

/** Reads server-sent events where a proxy holds ndjson back. See {@link StreamFeatures}. */
export const serverSentEvents: StreamPart<'serverSentEvents'> = support;
