import { describe, expect, it } from 'vitest';
import { FlushSchedule } from '../../src/core/flush.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

/** A flush that takes so long, on a clock that the flush itself moves on. */
class CostlyClock extends VirtualClock {
  #spentMs = 0;

  override now(): number {
    return super.now() + this.#spentMs;
  }

  spend(costMs: number): void {
    this.#spentMs += costMs;
  }
}

describe('the schedule of flushes', () => {
  it('flushes once in a turn, however often it was asked', async () => {
    const clock = new VirtualClock();
    let flushes = 0;
    const schedule = new FlushSchedule(clock, {}, () => flushes++);
    for (let i = 0; i < 5; i++) schedule.request();
    expect(flushes).toBe(0);
    await clock.settle();
    expect(flushes).toBe(1);
    await clock.advance(1000);
    expect(flushes).toBe(1);
  });

  it('takes no more than its share of the time under load', async () => {
    const clock = new CostlyClock();
    let spentMs = 0;
    const schedule = new FlushSchedule(clock, { maxShare: 0.5 }, () => {
      clock.spend(10);
      spentMs += 10;
      if (clock.now() - start < 10_000) schedule.request();
    });
    const start = clock.now();
    schedule.request();
    await clock.advance(20_000);
    const share = spentMs / 10_000;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.55);
  });

  it('waits for nothing with a share of 1', async () => {
    const clock = new CostlyClock();
    let flushes = 0;
    const schedule = new FlushSchedule(clock, { maxShare: 1 }, () => {
      clock.spend(1000);
      if (++flushes < 5) schedule.request();
    });
    schedule.request();
    await clock.settle();
    expect(flushes).toBe(5);
  });

  it('flushes no more once it was stopped', async () => {
    const clock = new VirtualClock();
    let flushes = 0;
    const schedule = new FlushSchedule(clock, {}, () => flushes++);
    schedule.request();
    schedule.stop();
    await clock.advance(1000);
    expect([flushes, clock.timers]).toEqual([0, 0]);
  });

  it.each([0, -1, 1.1, NaN])('refuses a share of %d', (maxShare) => {
    expect(() => new FlushSchedule(new VirtualClock(), { maxShare }, () => undefined)).toThrow(/flush\.maxShare/);
  });
});
