import type { StreamState } from './connection-state.ts';
import type { StreamFeatures, StreamPart } from './stream-features.ts';
import type { StreamOptions } from './stream-options.ts';
import type { OnAbort, StreamSettings } from './stream-settings.ts';
import { type Place, ReadPosition } from './read-position.ts';
import { liveClock } from './wait.ts';

/** What of the client not every page needs. A stream knows no part: each changes what the stream is made of. */
export interface ExtendingPart<Name extends string = string> extends StreamPart<Name> {
  /**
   * Called before the stream does anything, in any order of the parts. An option that only this part knows is taken
   * out of the settings.
   * @param options as the caller gave them
   */
  extend(settings: StreamSettings, stream: ExtendedStream, options: StreamOptions): void;
}

/** As much of a stream as its parts need. */
export interface ExtendedStream {
  readonly state: StreamState;
  reconnect(): void;
}

/**
 * @throws TypeError for an option whose part was left out; where the parts have checks, for one that cannot be meant
 */
export function settingsOf(options: StreamOptions, features: StreamFeatures, stream: ExtendedStream): StreamSettings {
  const { clock = liveClock, maxLineBytes = 2 ** 24 } = options;
  const positionAt = (place: Place) => new ReadPosition(place);
  const settings: StreamSettings = { ...options, clock, maxLineBytes, onAbort, positionAt };
  // The library made each of them.
  const parts: readonly (ExtendingPart | undefined)[] = Object.values(features);
  for (const part of parts) part?.extend(settings, stream, options);
  const missing = settings.state ? 'state' : settings.snapshot && 'snapshots';
  if (missing) throw new TypeError(`An option needs streamEventsWith({ ${missing} }).`);
  return settings;
}

const onAbort: OnAbort = (signal, call) => {
  signal.addEventListener('abort', call);
  return () => signal.removeEventListener('abort', call);
};
