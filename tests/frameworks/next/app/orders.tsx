'use client';

import { useEventState, type UseEventStateOptions } from 'fenceline/react';
import type { topics } from '../../shop.ts';

type Props = Pick<UseEventStateOptions<typeof topics>, 'initial'>;

export function Orders({ initial }: Props) {
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
