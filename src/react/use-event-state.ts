import type { BatchOf } from '../client/index.ts';
import { checkOptions } from '../model/options.ts';
import type { EventOf } from '../model/topic-types.ts';
import type { Topics } from '../model/topics.ts';
import { checkHook, type ConnectionResult, type HookOptions, hookOptions, type InitialEvents } from './hook-options.ts';
import { type StateValue, StateObjects } from './state-objects.ts';
import { useFeed } from './use-feed.ts';

/** Without `snapshot`: the state is the server's. One of your own comes with `useEventStream`, in `onBatch`. */
export interface UseEventStateOptions<S extends Topics = Topics> extends Omit<HookOptions<S>, 'snapshot'> {
  /**
   * What a page was rendered with: `broker.state(…)`. It is in the first result; the stream brings what changed since.
   */
  readonly initial?: InitialEvents<EventOf<S['payloads']>> | undefined;
  /**
   * Called with every batch, once and in order: for what is no state, such as a sound. What it throws ends the stream.
   */
  readonly onBatch?: ((batch: BatchOf<S>) => void) | undefined;
}

export interface UseEventStateResult<S extends Topics = Topics> extends ConnectionResult {
  /** The newest event of each object that there is, in the order in which the objects came. */
  readonly objects: readonly EventOf<S['payloads']>[];
  /**
   * What is here is complete, up to what is on its way. `false` until then, and again after a gap that begins the state
   * anew; what was here stays until the new one is complete.
   */
  readonly isCurrent: boolean;
}

/**
 * Mirrors the server's state (`retain: 'latest'`) while the component is mounted: what is there now, then each change.
 * Ask for topics that are retained alone: of others each key would stay for ever.
 *
 * ```tsx
 * const { objects, isCurrent } = useEventState<typeof topics>('/events', { topics: ['Order'] });
 * return <ul>{objects.map(({ key, payload }) => <li key={key}>{payload.step}</li>)}</ul>;
 * ```
 * @throws TypeError for an URL or option that cannot be meant; to the nearest error boundary
 */
export function useEventState<S extends Topics = Topics>(
  url: string | URL,
  options: UseEventStateOptions<S> = {},
): UseEventStateResult<S> {
  checkOptions<UseEventStateOptions<S>>(options, known, 'useEventState');
  checkHook(options, 'useEventState');
  const { value, ...connection } = useFeed<S, unknown, BatchOf<S>, StateValue<EventOf<S['payloads']>>>(
    url,
    { ...options, state: true } as UseEventStateOptions<S>,
    'state',
    () => new StateObjects(options.initial?.events),
  );
  return { ...value, ...connection };
}

const known = { ...hookOptions, initial: true, onBatch: true } as const;
