import { describe, expect, it } from 'vitest';

import { VirtualClock } from '../../src/testing/index.ts';

describe('VirtualClock', () => {
  it('stands still by itself', async () => {
    const clock = new VirtualClock(1000);
    await clock.settle();
    expect(clock.now()).toBe(1000);
  });

  it('calls timers in the order of their time, and of asking where the time is one', async () => {
    const clock = new VirtualClock(0);
    const calls: string[] = [];
    for (const [delayMs, name] of [
      [20, 'c'],
      [10, 'a'],
      [20, 'd'],
      [10, 'b'],
      [30, 'late'],
    ] as const) {
      clock.after(delayMs, () => calls.push(`${name} at ${clock.now()}`));
    }
    await clock.advance(20);
    expect(calls).toEqual(['a at 10', 'b at 10', 'c at 20', 'd at 20']);
    expect(clock).toMatchObject({ timers: 1, nextInMs: 10 });
  });

  it('calls timers that are set on the way, at their time', async () => {
    const clock = new VirtualClock(0);
    const times: number[] = [];
    const again = () => {
      times.push(clock.now());
      clock.after(10, again);
    };
    clock.after(10, again);
    await clock.advance(35);
    expect(times).toEqual([10, 20, 30]);
    expect(clock.now()).toBe(35);
  });

  it('lets promise callbacks run between two timers', async () => {
    const clock = new VirtualClock(0);
    const calls: string[] = [];
    const wait = (delayMs: number) => new Promise<void>((resolve) => void clock.after(delayMs, resolve));
    const work = async () => {
      for (let step = 0; step < 3; step++) {
        await wait(10);
        calls.push(`step at ${clock.now()}`);
      }
    };
    const done = work();
    clock.after(15, () => calls.push('between'));
    await clock.advance(30);
    await done;
    expect(calls).toEqual(['step at 10', 'between', 'step at 20', 'step at 30']);
  });

  it('a cancelled timer is not called, also when one of the same time cancels it', async () => {
    const clock = new VirtualClock(0);
    const calls: string[] = [];
    clock.after(10, () => second.cancel());
    const second = clock.after(10, () => calls.push('second'));
    clock.after(10, () => calls.push('third')).cancel();
    await clock.advance(10);
    expect(calls).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('runSoon makes the calls so far and leaves those they ask for', () => {
    const clock = new VirtualClock();
    const calls: string[] = [];
    clock.soon(() => {
      calls.push('a');
      cancelled.cancel();
      clock.soon(() => calls.push('c'));
    });
    const cancelled = clock.soon(() => calls.push('b'));
    expect(clock.runSoon()).toBe(1);
    expect(calls).toEqual(['a']);
    expect(clock.runSoon()).toBe(1);
    expect(calls).toEqual(['a', 'c']);
  });

  it('settle goes on until nothing asks for more, and says so when that never comes', async () => {
    const clock = new VirtualClock();
    let left = 5;
    const step = () => void (left-- > 1 && clock.soon(step));
    clock.soon(step);
    await clock.settle();
    expect(left).toBe(0);
    const forEver = () => void clock.soon(forEver);
    clock.soon(forEver);
    await expect(clock.settle()).rejects.toThrow('10000 rounds');
  });

  it('a timer that throws is told to who advances, at its time', async () => {
    const clock = new VirtualClock(0);
    clock.after(10, () => {
      throw new Error('mine');
    });
    await expect(clock.advance(20)).rejects.toThrow('mine');
    expect(clock.now()).toBe(10);
  });

  it('refuses to go back', async () => {
    await expect(new VirtualClock().advance(-1)).rejects.toThrow(TypeError);
  });
});
