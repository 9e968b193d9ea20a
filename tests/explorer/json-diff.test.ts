import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonDiff } from '../../src/explorer/page/json-diff.ts';

const textsOf = (before: unknown, after: unknown): readonly string[] =>
  jsonDiff(before, after).map(({ sign, text }) => sign + text);
const json = fc.jsonValue({ maxDepth: 4, noUnicodeString: true });
/** Members in the opposite order. */
const reordered = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, part: unknown) =>
      part !== null && typeof part === 'object' && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).toReversed())
        : part,
    ),
  );

describe('the difference of two values of JSON', () => {
  it('is none where they are equal, in whatever order their members stand, and some where they are not', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const [a, b] = [JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other))] as unknown[];
        expect(jsonDiff(a, reordered(a))).toEqual([]);
        expect(jsonDiff(a, b).length === 0).toBe(isDeepStrictEqual(a, b));
        // The other way round, the signs change sides.
        const count = (sign: string, lines: ReturnType<typeof jsonDiff>) =>
          lines.filter((line) => line.sign === sign).length;
        expect(count('+', jsonDiff(a, b))).toBe(count('-', jsonDiff(b, a)));
      }),
    );
  });

  it('shows the members that changed, came and went, and counts the others', () => {
    const before = { id: 1, status: 'pending', old: true, list: ['a', 'b'], deep: { x: 1, y: { z: 2 } } };
    const after = { id: 1, status: 'running', list: ['a', 'b'], deep: { x: 1, y: { z: 3 } }, fresh: { a: 1 } };
    expect(textsOf(before, after)).toEqual([
      ' {',
      '   … 1 unchanged',
      '-  "status": "pending"',
      '+  "status": "running"',
      '   … 1 unchanged',
      '   "deep": {',
      '     … 1 unchanged',
      '     "y": {',
      '-      "z": 2',
      '+      "z": 3',
      '     }',
      '   }',
      '+  "fresh": {',
      '+    "a": 1',
      '+  }',
      '-  "old": true',
      ' }',
    ]);
  });

  it('takes what was put into an array, or taken out of it, for one change', () => {
    expect(textsOf([1, 2, 3, 4], [1, 9, 2, 3, 4])).toEqual([
      ' [',
      '   … 1 unchanged',
      '+  9',
      '   … 3 unchanged',
      ' ]',
    ]);
    expect(textsOf([{ a: 1 }, { a: 2 }, { a: 3 }], [{ a: 1 }, { a: 3 }])).toEqual([
      ' [',
      '   … 1 unchanged',
      '-  {',
      '-    "a": 2',
      '-  }',
      '   … 1 unchanged',
      ' ]',
    ]);
    expect(textsOf([1, 1], [1, 1, 1])).toEqual([' [', '   … 2 unchanged', '+  1', ' ]']);
  });

  it('tells kinds apart, and takes members by any name for members', () => {
    expect(textsOf(1, '1')).toEqual(['-1', '+"1"']);
    expect(textsOf(null, {})).toEqual(['-null', '+{}']);
    expect(textsOf([], {})).toEqual(['-[]', '+{}']);
    expect(textsOf({}, JSON.parse('{"constructor":1,"__proto__":2}'))).toEqual([
      ' {',
      '+  "constructor": 1',
      '+  "__proto__": 2',
      ' }',
    ]);
  });

  it('is cut where it is long, and says so', () => {
    const numbers = Array.from({ length: 5000 }, (_, i) => i);
    const lines = textsOf([], numbers);
    expect(lines).toHaveLength(1001);
    expect(lines.at(-1)).toMatch(/^ … 4,00\d more lines$/);
    expect(textsOf('', 'x'.repeat(5000))[1]).toMatch(/^\+"x{1999} … 3,002 more characters$/);
  });

  it('looks at each part of deep arrays once for each array around it', () => {
    // Twice for each would take as long as 2 to the power of 60.
    const nested = (depth: number, core: unknown): unknown => (depth === 0 ? core : [nested(depth - 1, core)]);
    expect(textsOf(nested(60, 1), nested(60, 2))).toHaveLength(122);
  });
});
