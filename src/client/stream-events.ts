import type { Topics } from '../model/topics.ts';
import { serverSentEvents } from './server-sent-events.ts';
import { EventStream } from './event-stream.ts';
import { nomad } from './nomad.ts';
import { checks } from './option-checks.ts';
import { snapshots } from './snapshots.ts';
import type { StreamFeatures } from './stream-features.ts';
import type { BatchOf, StreamOptions } from './stream-options.ts';
import { signals } from './shared-signals.ts';
import { state } from './state.ts';
import { wakeUps } from './wake-ups.ts';

const everything: StreamFeatures = { checks, nomad, serverSentEvents, signals, snapshots, state, wakeUps };

/**
 * Reads an event stream over HTTP: of a fenceline server, or of Nomad. Connects again by itself, and hands over every
 * batch once and in order, or says what may be missing. Of Nomad several batches in a row may have one index.
 *
 * ```ts
 * const url = 'https://host/v1/event/stream'; // in a page also '/v1/event/stream'
 * const stream = streamEvents<typeof topics>(url, { topics: ['Order'], token: () => freshToken() });
 * for await (const { index, events, gap } of stream) {
 *   …
 *   save(stream.position); // later: streamEvents(url, { topics: ['Order'], ...position })
 * }
 * ```
 * The loop throws a StreamError only for what cannot heal: a request that the server refuses (400, 404, 405, …; see
 * `retryStatuses`), a token denied twice in a row, several namespaces asked of a Nomad server, `Retry: 'never'`, a gap
 * where `onGap` is `'fail'`, a line too long, or 8 connections in a row that end at a malformed line.
 *
 * It has all features. {@link streamEventsWith} makes a smaller one.
 * @throws TypeError for an URL or option that cannot be meant
 */
export function streamEvents<S extends Topics = Topics, V = unknown>(
  url: string | URL,
  options: StreamOptions<S, V> = {},
): EventStream<BatchOf<S, V>> {
  return new EventStream<BatchOf<S, V>>(url, options, everything);
}
