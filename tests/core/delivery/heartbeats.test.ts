import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heartbeats } from '../../../src/core/delivery/heartbeats.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

class Listener {
  readonly beats: number[] = [];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  beat(): void {
    this.beats.push(this.#clock.now());
  }
}

describe('heartbeats', () => {
  it('come one interval apart, the first within one interval of coming', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 1, max: 40_000 }),
        async (waitMs, intervalMs) => {
          const clock = new VirtualClock(0);
          const heartbeats = new Heartbeats(clock, intervalMs, 32, () => undefined);
          heartbeats.add(new Listener(clock));
          await clock.advance(Math.min(waitMs, intervalMs * 3));
          const cameAt = clock.now();
          const late = new Listener(clock);
          heartbeats.add(late);
          await clock.advance(intervalMs * 3);
          const first = (late.beats[0] ?? Infinity) - cameAt;
          expect(first).toBeGreaterThan(intervalMs * 0.5 - 10);
          expect(first).toBeLessThanOrEqual(intervalMs + 1e-6);
          for (const [i, at] of late.beats.slice(1).entries())
            expect(at - (late.beats[i] ?? 0)).toBeCloseTo(intervalMs, 5);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('need one timer for all, and none for nobody', async () => {
    const clock = new VirtualClock();
    let isEmpty = false;
    const heartbeats = new Heartbeats(clock, 1000, 32, () => (isEmpty = true));
    expect(clock.timers).toBe(0);
    const listeners = Array.from({ length: 50 }, () => new Listener(clock));
    const removals = listeners.map((listener) => heartbeats.add(listener));
    expect(clock.timers).toBe(1);
    await clock.advance(1000);
    expect(listeners.every(({ beats }) => beats.length === 1)).toBe(true);
    for (const remove of removals) {
      expect(isEmpty).toBe(false);
      remove();
      remove();
    }
    expect(isEmpty).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('stop for one who leaves while they are given', async () => {
    const clock = new VirtualClock();
    const heartbeats = new Heartbeats(clock, 100, 32, () => undefined);
    const other = new Listener(clock);
    const leaver = {
      beats: 0,
      beat() {
        this.beats++;
        leave();
      },
    };
    const leave = heartbeats.add(leaver);
    heartbeats.add(other);
    await clock.advance(500);
    expect(leaver.beats).toBe(1);
    expect(other.beats.length).toBe(5);
  });

  it.each([
    [15_000, 32],
    [320, 32],
    [100, 10],
    [25, 2],
    [5, 1],
  ])('take no more than 32 timers an interval, and none oftener than each 10 ms: %d ms', async (intervalMs, ticks) => {
    const clock = new VirtualClock();
    let asked = 0;
    const { after } = clock;
    clock.after = (delayMs, call) => (asked++, after.call(clock, delayMs, call));
    new Heartbeats(clock, intervalMs, 32, () => undefined).add(new Listener(clock));
    await clock.advance(intervalMs);
    expect(asked - 1).toBe(ticks);
  });
});
