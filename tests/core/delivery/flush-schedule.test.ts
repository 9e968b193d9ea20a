import { describe, expect, it } from 'vitest';
import { type FlushOptions, FlushSchedule } from '../../../src/core/delivery/flush-schedule.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { CostlyClock } from './costly-clock.ts';

const nothing = () => 0;
const scheduleOf = (clock: VirtualClock, options: FlushOptions, flush: () => boolean, waiting = nothing) =>
  new FlushSchedule(clock, options, flush, waiting);

describe('the schedule of flushes', () => {
  it('flushes once in a turn, however often it was asked', async () => {
    const clock = new VirtualClock();
    let flushes = 0;
    const schedule = scheduleOf(clock, {}, () => ++flushes > 0);
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
    const schedule = scheduleOf(clock, { maxShare: 0.5 }, () => {
      clock.spend(10);
      spentMs += 10;
      if (clock.now() - start < 10_000) schedule.request();
      return true;
    });
    const start = clock.now();
    schedule.request();
    await clock.advance(20_000);
    const share = spentMs / 10_000;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.55);
  });

  it('does not go on waiting where that joined nothing, tries it again, and waits once it pays', async () => {
    const clock = new CostlyClock();
    let [spentMs, waits, pays] = [0, 0, false];
    const schedule = scheduleOf(clock, { maxShare: 0.5 }, () => {
      clock.spend(1);
      spentMs += 1;
      schedule.request();
      waits += clock.timers;
      return pays;
    });
    const run = async (ms: number) => {
      const start = clock.now();
      [spentMs, waits] = [0, 0];
      await clock.advance(ms);
      return { share: spentMs / (clock.now() - start), waits };
    };
    schedule.request();
    const inVain = await run(20);
    expect(inVain.share).toBeGreaterThan(0.95);
    expect(inVain.waits).toBeGreaterThan(10);
    pays = true;
    expect((await run(1000)).share).toBeLessThan(0.6);
    schedule.stop();
  });

  it('waits for nothing with a share of 1', async () => {
    const clock = new CostlyClock();
    let flushes = 0;
    const schedule = scheduleOf(clock, { maxShare: 1 }, () => {
      clock.spend(flushes % 2 === 0 ? 1000 : 0);
      if (++flushes < 6) schedule.request();
      return true;
    });
    schedule.request();
    await clock.settle();
    expect(flushes).toBe(6);
  });

  /** Flushes that each cost so much, and are asked for one after another. */
  function busy(costMs: number, hasJoined: boolean) {
    const clock = new CostlyClock();
    const flushes: number[] = [];
    const schedule = scheduleOf(clock, { maxShare: 0.5 }, () => {
      flushes.push(clock.now() - start);
      clock.spend(costMs);
      return hasJoined;
    });
    const start = clock.now();
    /** Whether the next flush waits. */
    const waits = async () => {
      const before = flushes.length;
      schedule.request();
      await clock.settle();
      return flushes.length === before;
    };
    return { clock, flushes, waits };
  }

  it.each([
    ['a burst that is not spent', 30, false],
    ['a burst that is just spent', 40, true],
  ])('flushes at once with %s', async (_, costMs, isToWait) => {
    const { waits } = busy(costMs, true);
    expect(await waits()).toBe(false);
    expect(await waits()).toBe(isToWait);
  });

  it('waits, after a long flush, for as long as it takes to pay for it', async () => {
    const { clock, waits, flushes } = busy(100, true);
    await waits();
    // 20 ms of the 100 were free, and the flush itself has earned 50: 30 are paid back in 60.
    expect(await waits()).toBe(true);
    await clock.advance(59);
    expect(flushes).toHaveLength(1);
    await clock.advance(1);
    expect(flushes).toHaveLength(2);
  });

  describe('while it waits', () => {
    /** A schedule that has to wait, for 60 ms after a flush of 100, and how much waits for it. */
    async function waiting(costMs = 100) {
      const clock = new CostlyClock();
      const held = { bytes: 0, flushes: 0 };
      const flush = () => {
        held.flushes++;
        held.bytes = 0;
        clock.spend(costMs);
        return true;
      };
      const schedule = scheduleOf(clock, { maxShare: 0.5 }, flush, () => held.bytes);
      schedule.request();
      await clock.settle();
      schedule.request();
      held.flushes = 0;
      return { clock, schedule, held };
    }

    it('looks four times, and goes on where enough waits and nothing has come since the last look', async () => {
      const { clock, held } = await waiting();
      for (; held.bytes < 29 * 1024; held.bytes += 1024) await clock.advance(1);
      await clock.advance(15);
      expect(held.flushes).toBe(0);
      await clock.advance(1);
      expect(held.flushes).toBe(1);
    });

    it.each([
      [16 * 1024 - 1, 60],
      [16 * 1024, 30],
    ])('with %d bytes goes on after %d ms', async (bytes, ms) => {
      const { clock, held } = await waiting();
      held.bytes = bytes;
      await clock.advance(ms - 1);
      expect(held.flushes).toBe(0);
      await clock.advance(1);
      expect(held.flushes).toBe(1);
    });

    it('owes nothing of what it did not wait for', async () => {
      const { clock, schedule, held } = await waiting(60);
      for (let i = 0; i < 10; i++) {
        held.bytes = 32 * 1024;
        // Half of what it has to wait for: the first flush had 20 ms free.
        await clock.advance(i === 0 ? 10 : 30);
        expect(held.flushes).toBe(i + 1);
        schedule.request();
      }
      // As after one flush: it cost 60 ms, and has earned 30 of them.
      await clock.advance(59);
      expect(held.flushes).toBe(10);
      await clock.advance(1);
      expect(held.flushes).toBe(11);
    });
  });

  it('flushes for a while without waiting once a wait was in vain', async () => {
    const { clock, waits } = busy(40, false);
    await waits();
    expect(await waits()).toBe(true);
    await clock.advance(1);
    // 100 ms are free, which is two flushes and a half.
    let free = 0;
    while (!(await waits())) free++;
    expect(free).toBe(3);
  });

  it('flushes no more once it was stopped', async () => {
    const clock = new VirtualClock();
    let flushes = 0;
    const schedule = scheduleOf(clock, {}, () => ++flushes > 0);
    schedule.request();
    schedule.stop();
    await clock.advance(1000);
    expect([flushes, clock.timers]).toEqual([0, 0]);
  });

  it('refuses an option that it does not know', () => {
    expect(() => scheduleOf(new VirtualClock(), { share: 1 } as never, () => true)).toThrow(
      /^flush has no option "share"/,
    );
  });

  it.each([0, -1, 1.1, NaN])('refuses a share of %d', (maxShare) => {
    expect(() => scheduleOf(new VirtualClock(), { maxShare }, () => true)).toThrow(/flush\.maxShare/);
  });
});
