import { expect, it } from 'vitest';

import { keepNewest } from '../../src/model/keep-newest.ts';

it.each([
  [5, [1, 2, 3]],
  [3, [1, 2, 3]],
  [2, [2, 3]],
  [0, []],
])('of three entries the newest are kept, at most %i', (count, kept) => {
  const map = new Map([1, 2, 3].map((key) => [key, '']));
  keepNewest(map, count);
  expect([...map.keys()]).toEqual(kept);
});
