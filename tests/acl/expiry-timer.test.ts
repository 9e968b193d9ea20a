import { describe, expect, it } from 'vitest';
import { ExpiryTimer } from '../../src/acl/expiry-timer.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

describe('the expiry timer', () => {
  it('expires each at its instant, with one timer for all', async () => {
    const clock = new VirtualClock(0);
    const expired: [string, number][] = [];
    const timer = new ExpiryTimer<string>(clock, (who) => expired.push([who, clock.now()]));
    timer.set('late', 500);
    timer.set('soon', 100);
    timer.set('never', undefined);
    timer.set('far', 1000 * YEAR_MS);
    expect(clock.timers).toBe(1);
    await clock.advance(10_000);
    expect(expired).toEqual([
      ['soon', 100],
      ['late', 500],
    ]);
    await clock.advance(1000 * YEAR_MS);
    expect(expired.at(-1)).toEqual(['far', 1000 * YEAR_MS]);
    expect(clock.timers).toBe(0);
  });

  it('follows an instant that is moved nearer or further, and forgets who left', async () => {
    const clock = new VirtualClock(0);
    const expired: [string, number][] = [];
    const timer = new ExpiryTimer<string>(clock, (who) => expired.push([who, clock.now()]));
    timer.set('nearer', 900);
    timer.set('nearer', 100);
    timer.set('further', 100);
    timer.set('further', 300);
    timer.set('gone', 200);
    timer.remove('gone');
    timer.set('endless', 200);
    timer.set('endless', undefined);
    await clock.advance(1000);
    expect(expired).toEqual([
      ['nearer', 100],
      ['further', 300],
    ]);
  });

  it('expires all that is due when asked, although its timer is late', () => {
    const clock = new VirtualClock(0);
    const late = { now: () => 700, after: clock.after.bind(clock), soon: clock.soon.bind(clock) };
    const expired: string[] = [];
    const timer = new ExpiryTimer<string>(late, (who) => expired.push(who));
    timer.set('a', 600);
    timer.set('b', 700);
    timer.set('c', 701);
    timer.expireDue();
    expect(expired).toEqual(['a', 'b']);
    timer.stop();
    expect(clock.timers).toBe(0);
  });

  it('does not expire anybody early when a timer fires too soon: it is set again', () => {
    let now = 0;
    let waiting: (() => void) | undefined;
    const early = {
      now: () => now,
      after: (_: number, call: () => void) => {
        waiting = call;
        return { cancel: () => undefined };
      },
      soon: () => ({ cancel: () => undefined }),
    };
    const fireAt = (time: number): void => {
      const call = waiting;
      [now, waiting] = [time, undefined];
      call?.();
    };
    const expired: string[] = [];
    const timer = new ExpiryTimer<string>(early, (who) => expired.push(who));
    timer.set('a', 100);
    fireAt(99.6);
    expect(expired).toEqual([]);
    fireAt(100);
    expect(expired).toEqual(['a']);
    expect(waiting).toBeUndefined();
  });

  it('moves an instant nearer only, where that is asked for, and sets one where there is none', async () => {
    const clock = new VirtualClock(0);
    const expired: [string, number][] = [];
    const timer = new ExpiryTimer<string>(clock, (who) => expired.push([who, clock.now()]));
    timer.set('kept', 100);
    timer.setEarlier('kept', 300);
    timer.setEarlier('kept', undefined);
    timer.set('moved', 900);
    timer.setEarlier('moved', 200);
    timer.setEarlier('new', 50);
    timer.setEarlier('never', undefined);
    await clock.advance(1000);
    expect(expired).toEqual([
      ['new', 50],
      ['kept', 100],
      ['moved', 200],
    ]);
  });

  it('lets go of its timer when nobody is left who ever expires', () => {
    const clock = new VirtualClock(0);
    const timer = new ExpiryTimer<string>(clock, () => undefined);
    timer.set('a', 100);
    timer.set('b', 200);
    timer.setEarlier('never', undefined);
    timer.remove('a');
    expect(clock.timers).toBe(1);
    timer.set('b', undefined);
    expect(clock.timers).toBe(0);
  });

  it('asks for the time only when something ever expires, and sets its timer when the nearest instant moves', () => {
    const clock = new VirtualClock(0);
    let [asked, set] = [0, 0];
    const counting = {
      now: () => (asked++, clock.now()),
      after: (ms: number, call: () => void) => (set++, clock.after(ms, call)),
      soon: clock.soon.bind(clock),
    };
    const timer = new ExpiryTimer<string>(counting, () => undefined);
    timer.expireDue();
    expect(asked).toBe(0);
    for (const who of ['a', 'b', 'c']) timer.set(who, 100);
    timer.set('later', 200);
    timer.expireDue();
    expect(set).toBe(1);
  });
});
