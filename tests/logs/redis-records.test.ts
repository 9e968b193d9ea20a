import { describe, expect, it } from 'vitest';

import { framesOf, groupsOf } from '../../src/logs/redis/record-format.ts';

const frames = framesOf([
  { kind: 'events', body: Buffer.from('x') },
  { kind: 'acl', body: Buffer.from('y') },
] as never);

const entry = (id: string, meta: string) => [
  Buffer.from(id),
  [Buffer.from('m'), Buffer.from(meta), Buffer.from('f'), frames],
];

describe('an entry of the stream', () => {
  it('holds the records up to its own index', () => {
    expect(groupsOf([entry('2-0', '5 2 0 a b')])).toMatchObject([
      {
        first: 1,
        last: 2,
        records: [
          { index: 1, kind: 'events', time: 5 },
          { index: 2, kind: 'acl' },
        ],
      },
    ]);
  });

  it.each([
    ['begins before the first index', '1-0', '5 2 0 a b'],
    ['is no safe integer, so that two records would have one index', '9007199254740993-0', '5 2 0 a b'],
    ['holds another number of records than it says', '7-0', '5 3 0 a b'],
    ['says no number of records', '7-0', '5 x 0 a b'],
  ])('is none of ours where it %s', (_, id, meta) => {
    expect(groupsOf([entry(id, meta)])).toEqual([]);
  });
});
