import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ring } from '../../src/explorer/page/ring.ts';

describe('ring', () => {
  it('holds the newest items up to its capacity, whatever was pushed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 9 }), fc.nat(40), (items, capacity, from) => {
        const ring = new Ring<number>(capacity);
        for (const item of items) ring.push(item);
        const held = items.map((item, number) => ({ item, number })).slice(-capacity);
        const expected = held.filter(({ number }) => number >= from).map(({ item }) => item);
        expect([...ring.newestFirst(from)]).toEqual(expected.toReversed());
        expect(ring.pushed).toBe(items.length);
      }),
    );
  });

  it('is empty after it was cleared', () => {
    const ring = new Ring<string>(2);
    for (const item of ['a', 'b', 'c']) ring.push(item);
    ring.clear();
    ring.push('d');
    expect([...ring.newestFirst()]).toEqual(['d']);
  });
});
