import { EventDecoder } from './event-decoder.ts';
import { StreamError } from './stream-error.ts';
import type { StreamPart } from './stream-features.ts';
import type { ServerSentEvents } from './stream-parts.ts';

const support: ServerSentEvents = {
  part: 'serverSentEvents',
  decoder: (maxLineBytes) => new EventDecoder(maxLineBytes),
  after(error, isSilent, request) {
    // A server that has none, and says so: it is asked for lines again.
    const isUnknown = request.isEvents && StreamError.is(error) && error.status === 406;
    if (isSilent || isUnknown) request.isEvents = !request.isEvents;
    return isUnknown ? new StreamError(error.code, error.message, 'resume', { status: 406 }) : error;
  },
};

/** Reads server-sent events where a proxy holds ndjson back. See {@link StreamFeatures}. */
export const serverSentEvents: StreamPart<'serverSentEvents'> = support;
