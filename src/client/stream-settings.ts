import type { StreamOptions } from './stream-options.ts';
import { liveClock } from './wait.ts';

/** Options with their defaults. */
export type StreamSettings = ReturnType<typeof settingsOf>;

/** @throws TypeError for a number that cannot be meant */
export function settingsOf(options: StreamOptions) {
  const { minDelayMs = 250, maxDelayMs = 30_000, heartbeatMs = 30_000, maxLineBytes = 2 ** 24 } = options;
  const { clock = liveClock, fetch = globalThis.fetch, random = Math.random } = options;
  const numbers = { minDelayMs, maxDelayMs, heartbeatMs, maxLineBytes };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value > 0)) throw new TypeError(`${name} must be a number above 0; got ${value}.`);
  }
  // The peer is dead after as long without a byte.
  return { ...options, ...numbers, clock, fetch, random, deadAfterMs: heartbeatMs * 2.5 };
}
