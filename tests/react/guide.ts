// The lines of docs/frameworks.md about the hooks, as a component has them.
import type { BatchOf } from 'fenceline/client';
import { type UseEventStateOptions, useEventState, useEventStream } from 'fenceline/react';
import type { topics } from './order-server.ts';

export function useRecent(onBatch: (batch: BatchOf<typeof topics>) => void) {
  const { events, status, error, gap } = useEventStream<typeof topics>('/events', { topics: ['Order'], onBatch });
  return { events, status, error, gap };
}

export function useOrders({ initial }: Pick<UseEventStateOptions<typeof topics>, 'initial'>) {
  const { objects, isCurrent, status, error, gap } = useEventState<typeof topics>('/events', {
    topics: ['Order'],
    initial,
  });
  return { objects, isCurrent, status, error, gap };
}
