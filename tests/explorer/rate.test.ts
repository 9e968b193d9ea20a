import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rate } from '../../src/explorer/page/rate.ts';

const stepsArbitrary = fc.array(fc.record({ afterMs: fc.nat(4000), count: fc.nat(50) }));

describe('rate', () => {
  it('counts what came in each of the last complete seconds', () => {
    fc.assert(
      fc.property(stepsArbitrary, fc.integer({ min: 1, max: 8 }), fc.nat(9000), (steps, seconds, restMs) => {
        const rate = new Rate(seconds);
        const naive = new Map<number, number>();
        let now = 0;
        for (const { afterMs, count } of steps) {
          now += afterMs;
          const second = Math.floor(now / 1000);
          rate.add(count, now);
          naive.set(second, (naive.get(second) ?? 0) + count);
        }
        const running = Math.floor((now + restMs) / 1000);
        const expected = Array.from({ length: seconds }, (_, i) => naive.get(running - seconds + i) ?? 0);
        expect(rate.perSecond(now + restMs)).toEqual(expected);
      }),
    );
  });
});
