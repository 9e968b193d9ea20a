import { describe, expect, it } from 'vitest';

import { LeftObjects } from '../../../src/core/matching/left-objects.ts';

const object = (key: string) => ({ topic: 'T', namespace: 'n', key });
const by = (position: number) => ({ index: position, position, appended: 0 });
const keysAt = (left: LeftObjects, position: number) => [...left.at(position)].map((one) => one.object.key);

describe('the objects that left an interest', () => {
  it('are found at the position of the batch that took them out of sight', () => {
    const left = new LeftObjects();
    expect([left.lastPosition, left.next(1)]).toEqual([0, Infinity]);
    left.add(object('a'), by(3));
    left.add(object('b'), by(3));
    left.add(object('c'), by(5));
    expect([1, 3, 4, 6].map((from) => left.next(from))).toEqual([3, 3, 5, Infinity]);
    expect([keysAt(left, 3), keysAt(left, 4), keysAt(left, 5)]).toEqual([['a', 'b'], [], ['c']]);
    expect(left.lastPosition).toBe(5);
  });

  it('are none of them any more once they are back', () => {
    const left = new LeftObjects();
    left.remove(object('a'));
    left.add(object('a'), by(3));
    left.add(object('b'), by(3));
    left.remove(object('a'));
    left.remove(object('other'));
    expect(keysAt(left, 3)).toEqual(['b']);
    left.remove(object('b'));
    expect(left.next(1)).toBe(Infinity);
  });

  it('stand once each: where they left last', () => {
    const left = new LeftObjects();
    left.add(object('a'), by(3));
    left.add(object('a'), by(7));
    expect([keysAt(left, 3), keysAt(left, 7), left.next(1)]).toEqual([[], ['a'], 7]);
  });

  it('are forgotten past 4096, the oldest first, which it says', () => {
    const left = new LeftObjects();
    for (let i = 1; i <= 4096; i++) left.add(object(`k${i}`), by(i));
    expect([left.forgottenUpTo, left.next(1)]).toEqual([0, 1]);
    left.add(object('one more'), by(5000));
    expect([left.forgottenUpTo, left.next(1)]).toEqual([1, 2]);
    left.add(object('and another'), by(5001));
    expect([left.forgottenUpTo, left.next(1)]).toEqual([2, 3]);
  });
});
