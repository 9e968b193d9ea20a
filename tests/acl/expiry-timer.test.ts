import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DependencyIndex } from '../../src/acl/dependency-index.ts';
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

  it('does not expire anybody early when a timer fires too soon', () => {
    let now = 0;
    let fire = (): void => undefined;
    const early = {
      now: () => now,
      after: (_: number, call: () => void) => {
        fire = call;
        return { cancel: () => undefined };
      },
      soon: () => ({ cancel: () => undefined }),
    };
    const expired: string[] = [];
    const timer = new ExpiryTimer<string>(early, (who) => expired.push(who));
    timer.set('a', 100);
    now = 99.6;
    fire();
    expect(expired).toEqual([]);
    now = 100;
    fire();
    expect(expired).toEqual(['a']);
  });
});

describe('the index of dependents', () => {
  it('finds who depends on what changed, each once, as a list of all would', () => {
    const ref = fc.constantFrom('token:a', 'role:b', 'policy:c', 'policy:d') as fc.Arbitrary<`policy:${string}`>;
    const steps = fc.array(fc.tuple(fc.nat(4), fc.option(fc.uniqueArray(ref), { nil: undefined })), { maxLength: 30 });
    fc.assert(
      fc.property(steps, fc.array(ref), (list, changed) => {
        const index = new DependencyIndex<number>();
        const naive = new Map<number, readonly string[]>();
        for (const [who, refs] of list) {
          if (refs === undefined) {
            index.remove(who);
            naive.delete(who);
          } else {
            index.set(who, refs);
            naive.set(who, refs);
          }
        }
        const expected = [...naive].filter(([, refs]) => refs.some((one) => (changed as string[]).includes(one)));
        expect([...index.of(changed)].toSorted()).toEqual(expected.map(([who]) => who).toSorted());
      }),
    );
  });
});
