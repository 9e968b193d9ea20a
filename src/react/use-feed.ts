import { useEffect, useState, useSyncExternalStore } from 'react';

import type { EventBatch } from '../client/index.ts';
import type { Topics } from '../model/topics.ts';
import type { ConnectionStatus, HookOptions, InitialEvents } from './hook-options.ts';
import { type Collection, type FeedOptions, type FeedSnapshot, StreamFeed } from './stream-feed.ts';

/** What both hooks share of their options. */
interface Options<S extends Topics, V, Batch extends EventBatch> extends HookOptions<S, V> {
  readonly initial?: InitialEvents | undefined;
  readonly onBatch?: ((batch: Batch) => void) | undefined;
}

/** What a feed shows; `idle` where it is not enabled. */
type Watched<Value> = Omit<FeedSnapshot<Value>, 'status'> & { readonly status: ConnectionStatus };

/** Nothing is watched. */
const idle = () => () => undefined;

/**
 * A stream that lives as long as its component, and begins anew when another one is asked for.
 * @param key names what is read, beside what the options say
 * @param collect makes an empty collection for a stream that begins
 */
export function useFeed<S extends Topics, V, Batch extends EventBatch, Value>(
  url: string | URL,
  options: Options<S, V, Batch>,
  key: string,
  collect: () => Collection<Batch, Value>,
): Watched<Value> {
  const wholeKey = `${key} ${keyOf(url, options)}`;
  const create = () => ({ key: wholeKey, feed: new StreamFeed(url, feedOptions(options), collect()) });
  const [held, hold] = useState(create);
  let { feed } = held;
  // React renders again at once after a state that was set while rendering; until then the new feed is what counts.
  if (held.key !== wholeKey) {
    const next = create();
    feed = next.feed;
    hold(next);
  }
  useEffect(() => {
    feed.options = feedOptions(options);
  });
  const { enabled = true } = options;
  const snapshot = useSyncExternalStore(enabled ? feed.watch : idle, feed.snapshot, feed.snapshot);
  return enabled ? snapshot : { ...snapshot, status: 'idle' };
}

/** What another one of means that something else is read. */
function keyOf<S extends Topics, V>(url: string | URL, options: HookOptions<S, V>): string {
  const { topics, namespace, token, headers, credentials, onGap, retryStatuses } = options;
  const { minDelayMs, maxDelayMs, heartbeatMs, maxLineBytes } = options;
  const secret = typeof token === 'string' ? token : '';
  const numbers = [minDelayMs, maxDelayMs, heartbeatMs, maxLineBytes];
  return JSON.stringify([
    String(url),
    topics,
    namespace,
    secret,
    headers,
    credentials,
    onGap,
    retryStatuses,
    ...numbers,
  ]);
}

function feedOptions<S extends Topics, V, Batch extends EventBatch>(options: Options<S, V, Batch>): FeedOptions<Batch> {
  const { enabled: _enabled, initial, onBatch, ...stream } = options;
  const place = initial && { index: initial.index + 1, epoch: initial.epoch };
  // Which topics there are matters to whoever writes the options, and to nobody from here on.
  return { stream: { ...stream, ...place }, onBatch };
}
