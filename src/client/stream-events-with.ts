import type { Topics } from '../model/topics.ts';
import { EventStream } from './event-stream.ts';
import type { StreamFeatures } from './stream-features.ts';
import type { BatchOf, StreamOptions } from './stream-options.ts';

/** Opens a stream: `streamEvents`, and what `streamEventsWith` makes. */
export type StreamEvents = <S extends Topics = Topics, V = unknown>(
  url: string | URL,
  options?: StreamOptions<S, V>,
) => EventStream<BatchOf<S, V>>;

/**
 * Makes a `streamEvents` of the parts that are given: for pages that count bytes. Resuming, gaps, heartbeats,
 * connecting again and denials are always there.
 *
 * ```ts
 * const streamEvents = streamEventsWith({ wakeUps, serverSentEvents });
 * ```
 */
export function streamEventsWith(features: StreamFeatures): StreamEvents {
  return (url, options = {}) => new EventStream(url, options, features);
}
