// What the tests render, in Chromium and on the server.
import { createElement as h } from 'react';
import { type EventBatch, StreamError } from 'fenceline/client';
import {
  type ConnectionResult,
  useEventState,
  type UseEventStateOptions,
  useEventStream,
  type UseEventStreamOptions,
} from 'fenceline/react';
import type { Order } from './order-server.ts';

/** Plain JSON: tests hand them to the page. */
export interface Shown {
  readonly stream?: UseEventStreamOptions;
  readonly state?: UseEventStateOptions;
}

/** Each batch that was handed over, in the order in which they came: `3 o-1`, with what it says beside its events. */
export const batches: string[] = [];

function told({ index, events, current, gap }: EventBatch): void {
  const words = [index, ...events.map(({ key }) => key), current && 'current', gap?.reason];
  batches.push(words.filter((word) => word !== undefined).join(' '));
}

const shownAs = ({ key, payload }: { readonly key: string; readonly payload: unknown }): string =>
  `${key} ${(payload as Order).step}`;

function connection({ status, error, gap }: ConnectionResult) {
  const code = StreamError.is(error) ? error.code : (error as Error | undefined)?.message;
  return [
    h('p', { key: 'status', className: 'status' }, status),
    h('p', { key: 'error', className: 'error' }, code ?? 'none'),
    h('p', { key: 'gap', className: 'gap' }, gap?.reason ?? 'none'),
  ];
}

export function Stream({ options }: { readonly options: UseEventStreamOptions }) {
  const { events, ...result } = useEventStream('/events', { onBatch: told, ...options });
  const items = events.map((event) => h('li', { key: event.index }, shownAs(event)));
  return h('section', { id: 'stream' }, connection(result), h('ol', null, items));
}

export function Orders({ options }: { readonly options: UseEventStateOptions }) {
  const { objects, isCurrent, ...result } = useEventState('/events', { onBatch: told, ...options });
  const items = objects.map((event) => h('li', { key: event.key }, shownAs(event)));
  const progress = h('p', { className: 'progress' }, isCurrent ? 'current' : 'reading');
  return h('section', { id: 'state' }, connection(result), progress, h('ol', null, items));
}

export function App({ stream, state }: Shown) {
  return [
    stream && h(Stream, { key: 'stream', options: stream }),
    state && h(Orders, { key: 'state', options: state }),
  ];
}
