'use client';

import { type InitialEvents, useEventState } from 'fenceline/react';
import type { topics } from '../../shop.ts';

type Initial = InitialEvents<ReturnType<typeof useEventState<typeof topics>>['objects'][number]>;

export function Orders({ initial }: { readonly initial: Initial }) {
  const { objects, status } = useEventState<typeof topics>('/events', { topics: ['Order'], initial });
  const items = objects.map(({ key, payload }) => (
    <li key={key}>
      {key}: {payload.step}
    </li>
  ));
  return (
    <>
      <p>{status}</p>
      <ul>{items}</ul>
    </>
  );
}
