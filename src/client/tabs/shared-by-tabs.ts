import type { Topics } from '../../model/topics.ts';
import type { EventStream } from '../event-stream.ts';
import type { BatchOf, StreamOptions } from '../stream-options.ts';
import type { StreamEvents } from '../stream-events-with.ts';
import { browserHere } from './browser.ts';
import type { SharedStream } from './shared-stream.ts';
import { TabStream } from './tab-stream.ts';

/** As `streamEvents`, over one connection for all tabs. */
export type SharedStreamEvents = <S extends Topics = Topics, V = unknown>(
  url: string | URL,
  options?: StreamOptions<S, V>,
) => SharedStream<BatchOf<S, V>>;

/**
 * Makes of `streamEvents` one that reads by a single connection for all tabs of a browser that ask for the same. Each
 * tab has a position of its own, so a tab that comes later reads what the others have read before, by a connection that
 * it closes when it has caught up. When the tab that has the connection is closed another one goes on, and no tab loses
 * a batch or gets one twice.
 *
 * ```ts
 * const shared = sharedByTabs(streamEvents, `user ${userId}`);
 * for await (const { events } of shared('/v1/event/stream', { topics: ['Order'] })) …
 * ```
 * Tabs share where URL, topics, namespaces and `name` are the same. Where tabs may be signed in as different users, the
 * name must tell these apart: a tab gets what the one that has the connection may see. Needs Web Locks and
 * BroadcastChannel, thus HTTPS or localhost; elsewhere, and on servers, each stream has its own connection.
 *
 * `token`, `headers` and callbacks are those of the tab that has the connection; `onGap` and `onState` are called in
 * each tab, a function `onGap` just before the batch that follows the gap.
 * @param name of whoever reads, such as the user's id. Not the token: names can be listed.
 * @throws TypeError for a name that is empty
 */
export function sharedByTabs(streamEvents: StreamEvents, name: string): SharedStreamEvents {
  if (typeof name !== 'string' || name === '')
    throw new TypeError('sharedByTabs needs a name of whoever reads, such as the id of the user.');
  return (url, options = {}) => {
    const browser = browserHere();
    if (!browser) return streamEvents(url, options);
    const openAt = (place: StreamOptions) => streamEvents(url, place) as EventStream;
    // Connects to nothing. It says what is wrong with the options, where something is.
    const { request } = streamEvents(url, { ...options, onState: undefined, signal: undefined });
    return new TabStream(browser, `fenceline ${name} ${request}`, options, openAt);
  };
}
