import { EventBody } from './event-body.ts';
import { FirstByte, withBody } from './first-byte.ts';
import { StreamError } from './stream-error.ts';
import type { StreamPart } from './stream-features.ts';
import type { ExtendingPart } from './stream-parts.ts';
import { type Answer, deadAfterMs, type FetchInit } from './stream-settings.ts';
import { liveClock } from './wait.ts';

/** A server that names its epoch sends its first heartbeat at once. Without it something on the way holds it back. */
const FIRST_BYTE_MS = 12_500;

const part: ExtendingPart<'serverSentEvents'> = {
  part: 'serverSentEvents',
  /**
   * A 200 without a byte: something on the way may hold back what is no server-sent events, so they are asked for next,
   * and lines again where these do not come either.
   */
  extend(settings, _stream, { clock = liveClock }) {
    const { maxLineBytes, fetch } = settings;
    let isAsking = false;
    settings.fetch = async (url, init) => {
      const answer = await (fetch ?? globalThis.fetch)(url, isAsking ? accepting(init) : init);
      if (answer.status !== 200) {
        if (!isAsking || answer.status !== 406) return answer;
        // A server that has none, and says so: it is asked for lines again.
        isAsking = false;
        throw new StreamError('http_status', 'The server has no server-sent events.', 'resume', { status: 406 });
      }
      const limitMs = answer.headers.has('X-Fenceline-Epoch') ? FIRST_BYTE_MS : Infinity;
      const watch = {
        clock,
        signal: init.signal,
        limitMs: Math.min(limitMs, deadAfterMs(settings)),
        atEnd: () => void (isAsking = !isAsking),
      };
      return withBody(answer, (body) => {
        const watched = new FirstByte(body, watch);
        return isEvents(answer) ? new EventBody(watched, maxLineBytes) : watched;
      });
    };
  },
};

const accepting = (init: FetchInit): FetchInit => ({
  ...init,
  headers: { Accept: 'text/event-stream', ...init.headers },
});

const isEvents = ({ headers }: Answer): boolean => /^text\/event-stream/i.test(headers.get('Content-Type') ?? '');

/** Reads server-sent events where a proxy holds ndjson back. See {@link StreamFeatures}. */
export const serverSentEvents: StreamPart<'serverSentEvents'> = part;
