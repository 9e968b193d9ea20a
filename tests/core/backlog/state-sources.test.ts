import { describe, expect, it } from 'vitest';

import { markText, parseMark, staleMark } from '../../../src/core/backlog/state-mark.ts';
import { KeyedSource, ListSource, MergedSource, StatePartition } from '../../../src/core/backlog/state-partition.ts';
import { StateEntry } from '../../../src/core/backlog/state-entry.ts';
import { encodedBatch } from '../event-fixtures.ts';

/** Entries of these keys at the positions 2, 4, 6 … */
function partitionOf(...keys: readonly string[]): StatePartition {
  const partition = new StatePartition();
  keys.forEach((key, i) => {
    const entry = new StateEntry(encodedBatch(2 * i + 2, { key }), 0, false);
    partition.byKey.set(key, entry);
    partition.list.push(entry);
  });
  return partition;
}

const all = () => true;
const keysAt = (source: { at(position: number): Iterable<StateEntry> }, position: number) =>
  [...source.at(position)].map(({ event }) => event.key);

describe('a source of retained entries', () => {
  const partition = partitionOf('a', 'b', 'c');
  const other = partitionOf('x');

  it.each([
    ['all of a list', new ListSource(partition.list), [2, 4, 4, 6, Infinity]],
    ['some keys', new KeyedSource(partition, ['a', 'none', 'c']), [2, 6, 6, 6, Infinity]],
    ['some keys, in another order', new KeyedSource(partition, ['c', 'none', 'a']), [2, 6, 6, 6, Infinity]],
    [
      'several as one',
      new MergedSource([new KeyedSource(partition, ['b']), new ListSource(other.list)]),
      [2, 4, 4, Infinity, Infinity],
    ],
    ['none', new MergedSource([]), [Infinity, Infinity, Infinity, Infinity, Infinity]],
  ])('of %s finds the first from a position on', (_, source, expected) => {
    expect([1, 3, 4, 5, 7].map((from) => source.next(from, all))).toEqual(expected);
  });

  it('passes over what does not pass', () => {
    const isC = ({ event }: StateEntry): boolean => event.key === 'c';
    for (const source of [new ListSource(partition.list), new KeyedSource(partition, ['a', 'b', 'c'])])
      expect(source.next(1, isC)).toBe(6);
  });

  it('has what stands at a position, of all its parts', () => {
    expect(keysAt(new ListSource(partition.list), 4)).toEqual(['b']);
    expect(keysAt(new KeyedSource(partition, ['a', 'c']), 4)).toEqual([]);
    expect(keysAt(new KeyedSource(partition, ['a', 'c']), 6)).toEqual(['c']);
    expect(keysAt(new MergedSource([new ListSource(partition.list), new ListSource(other.list)]), 2)).toEqual([
      'a',
      'x',
    ]);
  });
});

describe('a mark', () => {
  it('is read as it was written', () => {
    for (const mark of [
      { view: 'a1', since: 0 },
      { view: 'zzzzzzzzzzz', since: 1234 },
      { view: '0', since: Number.MAX_SAFE_INTEGER },
    ])
      expect(parseMark(markText(mark))).toEqual(mark);
    expect(parseMark('abc')).toEqual({ view: 'abc', since: 0 });
  });

  it.each([
    '',
    '.1',
    'abc.',
    'ABC.1',
    'abc.x',
    'abc.1.2',
    'abc.12345678901234567',
    'abc.9007199254740992',
    'aaaaaaaaaaaa.1',
  ])('%j is none', (text) => {
    expect(() => parseMark(text)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });
});

describe('the mark of no state', () => {
  it('is one that can be given back', () => {
    expect(parseMark(staleMark)).toEqual({ view: '0', since: 0 });
  });
});
