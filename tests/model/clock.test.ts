import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/model/clock.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

describe('the clock of the machine', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([0, 1, 2 ** 31 - 1, 2 ** 31, 100 * DAY_MS])('calls once, %d ms from now and not before', (delayMs) => {
    const call = vi.fn();
    systemClock.after(delayMs, call);
    vi.advanceTimersByTime(Math.max(0, delayMs - 1));
    expect(call).toHaveBeenCalledTimes(0 + Number(delayMs === 0));
    vi.advanceTimersByTime(1);
    expect(call).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(200 * DAY_MS);
    expect(call).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not call what was cancelled, also after its first step', () => {
    const call = vi.fn();
    const far = systemClock.after(60 * DAY_MS, call);
    vi.advanceTimersByTime(40 * DAY_MS);
    far.cancel();
    vi.advanceTimersByTime(60 * DAY_MS);
    systemClock.soon(call).cancel();
    vi.runAllTimers();
    expect(call).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes a time that has passed for now', () => {
    const call = vi.fn();
    systemClock.after(-5, call);
    vi.advanceTimersByTime(0);
    expect(call).toHaveBeenCalledTimes(1);
  });
});
