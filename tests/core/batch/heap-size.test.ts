import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { deepFreeze } from '../../../src/core/batch/frozen.ts';
import {
  arrayBytes,
  grownArrayBytes,
  nameBytes,
  numberBytes,
  recordBytes,
  textBytes,
} from '../../../src/core/batch/heap-size.ts';
import { snapshot } from '../../../src/core/batch/payload-copy.ts';

let made = 0;
/** What was seen once is known from then on, also in the next test. */
const freshName = () => `name ${++made}`;

const wide = '語';
const widest = '\u00ff';

// What a process grows by is measured in tests/core/backlog/true-bytes.test.ts: these are the rules behind it.
describe('what a value takes on the heap', () => {
  it.each([
    ['no letters', '', 16],
    ['a few', 'abc', 19],
    ['wide ones, too few to look at', wide.repeat(31), 16 + 31],
    ['wide ones', wide.repeat(32), 16 + 64],
    ['wide ones from the middle on', 'x'.repeat(50) + wide.repeat(50), 16 + 200],
    ['narrow ones', widest.repeat(100), 16 + 100],
    ['a wide one alone that none of those looked at is', `x${wide}${'x'.repeat(98)}`, 16 + 100],
  ])('of a text of %s', (_, text, bytes) => {
    expect(textBytes(text)).toBe(bytes);
  });

  it.each([
    [0, 0],
    [-7, 0],
    [2 ** 31 - 1, 0],
    [2 ** 31, 8],
    [0.5, 8],
  ])('of the number %d, beside its place', (value, bytes) => {
    expect(numberBytes(value)).toBe(bytes);
  });

  it('of a list: a place for each element, and none for none', () => {
    expect([0, 1, 10].map(arrayBytes)).toEqual([32, 32 + 16 + 8, 32 + 16 + 80]);
  });

  it('of a list that grew: places for half as many again, and for 16', () => {
    expect([0, 1, 17, 18, 42, 43].map(grownArrayBytes)).toEqual([0, 17, 17, 42, 42, 80].map(arrayBytes));
  });

  it('of an object: four members in itself, more beside it', () => {
    expect([0, 4, 5, 10].map(recordBytes)).toEqual([56, 56, 56 + 16 + 8, 56 + 16 + 48]);
  });

  it('of a name: little where objects share it, or have few; a shape of its own where none does', () => {
    const name = freshName();
    expect(nameBytes(name, 8)).toBe(name.length + 8);
    expect(nameBytes(name, 9)).toBe(name.length + 110);
    expect(nameBytes(name, 9)).toBe(name.length + 8);
  });

  it('of a name that was seen long ago: that is forgotten, after some thousand others', () => {
    const takes = (name: string): 'little' | 'much' => (nameBytes(name, 9) === name.length + 8 ? 'little' : 'much');
    const others = (count: number) => {
      for (let i = 0; i < count; i++) nameBytes(freshName(), 9);
    };
    const once = freshName();
    expect(takes(once)).toBe('much');
    others(1000);
    expect(takes(once)).toBe('little');
    others(10_000);
    expect(takes(once)).toBe('much');
  });

  it('of names, of which the newest two thousand at least and four thousand at most are known', () => {
    const names = Array.from({ length: 8192 }, freshName);
    for (const name of names) nameBytes(name, 9);
    const isKnown = (name: string): boolean => nameBytes(name, 9) === name.length + 8;
    const known = names.length - 1 - names.findLastIndex((name) => !isKnown(name));
    expect(known).toBeGreaterThanOrEqual(2048);
    expect(known).toBeLessThanOrEqual(4096);
  });
});

describe('what a payload takes', () => {
  const shared = recordBytes(1) + nameBytes('a', 1);

  it.each<[string, unknown, number]>([
    ['a text', 'abc', 19],
    ['a whole number', 5, 0],
    ['a fraction', 0.5, 8],
    ['true', true, 0],
    ['null', null, 0],
    ['an object', { a: 'x' }, shared + 17],
    ['an object in another', { a: { a: 0.5 } }, shared + shared + 8],
  ])('is counted alike when it is copied, and when it is read from JSON: %s', (_, value, bytes) => {
    expect(snapshot(value, 'event').bytes).toBe(bytes);
    expect(deepFreeze(value)).toBe(bytes);
  });

  it('is counted without what is left out', () => {
    expect(snapshot({ a: 'x', gone: undefined }, 'event').bytes).toBe(shared + 17);
    const six = { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 };
    expect(snapshot(six, 'event').bytes).toBe(recordBytes(6) + 6 * nameBytes('a', 6));
  });

  it('is more for a list that is copied, which grows, than for one that is read', () => {
    expect(snapshot([0.5, 'abc'], 'event').bytes).toBe(grownArrayBytes(2) + 8 + 19);
    expect(deepFreeze([0.5, 'abc'])).toBe(arrayBytes(2) + 8 + 19);
  });

  it('is a number for whatever JSON holds, and all of it is frozen', () => {
    const isFrozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text);
        expect(deepFreeze(value)).toBeGreaterThanOrEqual(0);
        expect(isFrozen(value)).toBe(true);
      }),
    );
  });
});
