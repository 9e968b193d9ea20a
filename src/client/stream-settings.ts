import type { StreamOptions } from './stream-options.ts';
import type { StreamParts } from './stream-parts.ts';
import { liveClock } from './wait.ts';

/** Options, with the defaults that more than one place needs. */
export type StreamSettings = ReturnType<typeof settingsOf>;

/**
 * @throws TypeError for an option whose part was left out; where the parts have checks, for one that cannot be meant
 */
export function settingsOf(options: StreamOptions, parts: StreamParts) {
  parts.checks?.check(options);
  const missing = options.state && !parts.state ? 'state' : options.snapshot && !parts.snapshots && 'snapshots';
  if (missing) throw new TypeError(`An option needs streamEventsWith({ ${missing} }).`);
  const { clock = liveClock, heartbeatMs, maxLineBytes = 2 ** 24 } = options;
  /**
   * Without a byte for so long the peer is dead. Infinity where the server sends no heartbeats (0), so that silence
   * says nothing.
   */
  const deadAfterMs = (serverHeartbeatMs = 30_000): number => 2.5 * (heartbeatMs ?? (serverHeartbeatMs || Infinity));
  return { ...options, clock, maxLineBytes, parts, deadAfterMs };
}
