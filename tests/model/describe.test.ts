import { expect, it } from 'vitest';

import { describe as described } from '../../src/model/describe.ts';

it.each<[unknown, string]>([
  ['text', '"text"'],
  ['a "quoted" one\n', '"a \\"quoted\\" one\\n"'],
  ['x'.repeat(64), `"${'x'.repeat(64)}"`],
  ['x'.repeat(65), `"${'x'.repeat(64)}…"`],
  [null, 'null'],
  [undefined, 'undefined'],
  [7, '7'],
  [true, 'true'],
  [7n, '7n'],
  [[1, 2], 'an array'],
  [{ secret: 1 }, 'a value of type object'],
  [() => 1, 'a value of type function'],
  [Symbol('s'), 'a value of type symbol'],
])('what is said of a value in an error: case %#', (value, text) => {
  expect(described(value)).toBe(text);
});
