/** Longest that a `Retry-After` is obeyed for: an hour. Then the server is asked again. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/**
 * Exponential with full jitter: anywhere between 0 and `minMs` · 2^attempt, at most `maxMs`. Readers that were cut off
 * together come back spread out.
 * @param attempt connections in a row that brought nothing; 0 for the first
 */
export function backoffMs(attempt: number, minMs: number, maxMs: number, random: () => number): number {
  return random() * Math.min(maxMs, minMs * 2 ** attempt);
}

/** Reads a `Retry-After` header, seconds or a date. Undefined when there is none, or none that can be read. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const delayMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, 0), LONGEST_RETRY_AFTER_MS);
}
