import { describe, expect, it } from 'vitest';
import { FairLimit } from '../../../src/core/log/fair-limit.ts';
import { deferred } from '../../../src/testing/deferred.ts';

describe('a limit on what runs at once', () => {
  it('lets so many run, and the others in the order in which they came', async () => {
    const limit = new FairLimit(2);
    const begun: number[] = [];
    const works = Array.from({ length: 5 }, () => deferred());
    const all = works.map((work, i) =>
      limit.run(() => {
        begun.push(i);
        return work.promise;
      }),
    );
    await new Promise(setImmediate);
    expect(begun).toEqual([0, 1]);
    expect(limit.waiting).toBe(3);
    for (const at of [1, 0, 2, 3, 4]) {
      works[at]?.resolve();
      await all[at];
      await new Promise(setImmediate);
    }
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    expect(limit.waiting).toBe(0);
  });

  it('gives the place on when one fails', async () => {
    const limit = new FairLimit(1);
    await expect(limit.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(limit.run(() => Promise.resolve(7))).resolves.toBe(7);
  });

  it('lets who asks for many pieces take turns with who asks for one', async () => {
    const limit = new FairLimit(1);
    const order: string[] = [];
    const piece = (name: string) => limit.run(() => Promise.resolve(order.push(name)));
    const many = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) await piece(`many ${i}`);
    };
    await Promise.all([many(), piece('one'), piece('other')]);
    expect(order.indexOf('one')).toBeLessThan(order.indexOf('many 1'));
    expect(order.indexOf('other')).toBeLessThan(order.indexOf('many 1'));
  });
});
