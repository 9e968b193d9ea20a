import { describe, expect, it } from 'vitest';

import { errorName, errorText, gapText } from '../../src/explorer/page/entry.ts';

describe('what the page says of a gap', () => {
  it.each([
    [
      { from: 5, to: 5, reason: 'slow' },
      'slow. Events at index 5 may be missing: they left the backlog before they were read.',
    ],
    [
      { from: 5, to: 9, reason: 'trimmed' },
      'trimmed. Events at indexes 5 to 9 may be missing: they had left the backlog.',
    ],
    [
      { from: 1, to: 2, reason: 'new' },
      'new. Events at indexes 1 to 2 may be missing: for a reason this page does not know.',
    ],
  ])('names the indexes and the reason: case %#', (gap, text) => {
    expect(gapText(gap as never)).toBe(text);
  });
});

describe('what the page says of an error', () => {
  const coded = Object.assign(new Error('The rights were taken away.'), { code: 'acl_revoked' });

  it.each([
    ['one with a code', coded, 'acl_revoked', 'acl_revoked: The rights were taken away.'],
    ['any other', new Error('no network'), 'no network', 'no network'],
    ['what is none', 'stopped', 'stopped', 'stopped'],
  ])('%s', (_, error, name, text) => {
    expect([errorName(error), errorText(error)]).toEqual([name, text]);
  });
});
