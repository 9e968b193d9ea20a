import { describe, expect, it } from 'vitest';
import { headerValue } from '../../src/adapters/header.ts';

const valueOf = (value: string | readonly string[] | null | undefined) => headerValue(() => value, 'x-nomad-token');

describe('the value of a header', () => {
  it.each([
    ['blanks and tabs around it are no part of it', ' \t a b\t ', 'a b'],
    ['other white space is', '\u00a0a\u2003', '\u00a0a\u2003'],
    ['nothing but blanks is empty', ' \t ', ''],
    ['empty is empty', '', ''],
  ])('%s', (_, value, expected) => {
    expect(valueOf(value)).toBe(expected);
  });

  it('is the first where there are several, and undefined where there is none', () => {
    expect(valueOf([' a ', 'b'])).toBe('a');
    expect(valueOf([])).toBeUndefined();
    expect(valueOf(null)).toBeUndefined();
    expect(valueOf(undefined)).toBeUndefined();
  });

  // Nobody has to have a token to send this. Time that grows with the square of the blanks was seconds for the 16 KB
  // that Node lets through; of so many it is minutes, and the test runs out of time.
  it('is found in one pass, however many blanks stand inside it', { timeout: 20_000 }, () => {
    const value = `a${' '.repeat(100_000)}b`;
    expect(valueOf(` ${value}\t`)).toBe(value);
  });
});
