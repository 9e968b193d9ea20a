import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, retryAfterMs } from '../../src/client/backoff.ts';

describe('backoff', () => {
  it('doubles its bound with each attempt, up to the maximum', () => {
    const bounds = [0, 1, 2, 3, 4, 5].map((attempt) => backoffMs(attempt, 250, 4000, () => 1));
    expect(bounds).toEqual([250, 500, 1000, 2000, 4000, 4000]);
  });

  it('lies anywhere between 0 and its bound', () => {
    expect(backoffMs(3, 100, 10_000, () => 0)).toBe(0);
    expect(backoffMs(3, 100, 10_000, () => 0.25)).toBe(200);
  });

  it('is a delay that a timer can wait for, after any number of attempts', () => {
    const numbers = fc.tuple(fc.nat(1e9), fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e9 }));
    fc.assert(
      fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), ([attempt, minMs, maxMs], part) => {
        const delayMs = backoffMs(attempt, minMs, maxMs, () => part);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(maxMs);
      }),
    );
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 10, 23, 12, 0, 0);

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
    ['999999999', 3_600_000],
    ['Mon, 23 Nov 2099 12:00:00 GMT', 3_600_000],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('%j means %j ms', (header, delayMs) => {
    expect(retryAfterMs(header, now)).toBe(delayMs);
  });
});
