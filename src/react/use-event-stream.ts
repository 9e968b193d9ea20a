import type { BatchOf } from '../client/index.ts';
import { describe } from '../model/describe.ts';
import { checkOptions } from '../model/options.ts';
import type { EventOf } from '../model/topic-types.ts';
import type { Topics } from '../model/topics.ts';
import { checkHook, type ConnectionResult, type HookOptions, hookOptions, type InitialEvents } from './hook-options.ts';
import { RecentEvents } from './recent-events.ts';
import { useFeed } from './use-feed.ts';

export interface UseEventStreamOptions<S extends Topics = Topics, V = unknown> extends HookOptions<S, V> {
  /** How many of the newest events the result holds. Default 100; 0 where `onBatch` is all that is wanted. */
  readonly maxEvents?: number | undefined;
  /** What a page was rendered with: it is in the first result, and the stream goes on after it. */
  readonly initial?: InitialEvents<EventOf<S['payloads']>> | undefined;
  /**
   * Called with every batch, once and in order, also where several come between two renders. What it throws ends the
   * stream.
   */
  readonly onBatch?: ((batch: BatchOf<S, V>) => void) | undefined;
}

export interface UseEventStreamResult<S extends Topics = Topics> extends ConnectionResult {
  /** The newest, the oldest of them first: at most `maxEvents`. */
  readonly events: readonly EventOf<S['payloads']>[];
}

/**
 * Reads an event stream while the component is mounted: {@link streamEvents} as a hook. It connects in the browser
 * alone, comes back by itself, and goes on where it was.
 *
 * ```tsx
 * const { events, status, error } = useEventStream<typeof topics>('/events', { topics: ['Order'] });
 * ```
 * @throws TypeError for an URL or option that cannot be meant; to the nearest error boundary
 */
export function useEventStream<S extends Topics = Topics, V = unknown>(
  url: string | URL,
  options: UseEventStreamOptions<S, V> = {},
): UseEventStreamResult<S> {
  checkOptions<UseEventStreamOptions<S, V>>(options, known, 'useEventStream');
  checkHook(options, 'useEventStream');
  const { maxEvents = 100, initial } = options;
  if (!Number.isSafeInteger(maxEvents) || maxEvents < 0)
    throw new TypeError(`useEventStream: maxEvents must be a whole number, 0 or more; got ${describe(maxEvents)}.`);
  const { maxEvents: _maxEvents, ...rest } = options;
  const { value: events, ...connection } = useFeed<S, V, BatchOf<S, V>, readonly EventOf<S['payloads']>[]>(
    url,
    rest,
    `stream ${maxEvents}`,
    () => new RecentEvents(maxEvents, initial?.events),
  );
  return { events, ...connection };
}

const known = { ...hookOptions, snapshot: true, maxEvents: true, initial: true, onBatch: true } as const;
