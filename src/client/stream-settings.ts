import { checkOptions } from '../model/options.ts';
import type { StreamOptions } from './stream-options.ts';
import { liveClock } from './wait.ts';

/** Options with their defaults. */
export type StreamSettings = ReturnType<typeof settingsOf>;

const known = {
  topics: true,
  namespace: true,
  index: true,
  epoch: true,
  seen: true,
  state: true,
  mark: true,
  snapshot: true,
  token: true,
  signal: true,
  minDelayMs: true,
  maxDelayMs: true,
  heartbeatMs: true,
  maxLineBytes: true,
  onGap: true,
  onState: true,
  headers: true,
  fetch: true,
  random: true,
  clock: true,
} as const;

/** @throws TypeError for an option that is not known, and a number that cannot be meant */
export function settingsOf(options: StreamOptions) {
  checkOptions<StreamOptions>(options, known, 'streamEvents');
  const { minDelayMs = 250, maxDelayMs = 30_000, heartbeatMs = 30_000, maxLineBytes = 2 ** 24 } = options;
  const { clock = liveClock, fetch = globalThis.fetch, random = Math.random } = options;
  if (options.snapshot !== undefined && typeof options.snapshot !== 'function')
    throw new TypeError('snapshot must be a function.');
  if (options.snapshot !== undefined && options.state)
    throw new TypeError('state and snapshot exclude each other: the state is the server’s, or your own.');
  if (options.state && options.index === 'latest')
    throw new TypeError('state needs an index: 0 for all of it, or one to go on from; got "latest".');
  const numbers = { minDelayMs, maxDelayMs, heartbeatMs, maxLineBytes };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value > 0)) throw new TypeError(`${name} must be a number above 0; got ${value}.`);
  }
  /**
   * Without a byte for so long the peer is dead. Infinity where the server sends no heartbeats (0), so that silence
   * says nothing.
   */
  const deadAfterMs = (serverHeartbeatMs: number): number =>
    2.5 * (options.heartbeatMs ?? (serverHeartbeatMs || Infinity));
  return { ...options, ...numbers, clock, fetch, random, deadAfterMs };
}
