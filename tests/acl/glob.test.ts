import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Glob } from '../../src/acl/glob.ts';

/** The rule itself: `*` takes any number of characters. Exponential, so for short texts only. */
function modelMatches(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] !== '*') return text !== '' && pattern[0] === text[0] && modelMatches(pattern.slice(1), text.slice(1));
  return modelMatches(pattern.slice(1), text) || (text !== '' && modelMatches(pattern, text.slice(1)));
}

const shortText = (letters: string) =>
  fc.array(fc.constantFrom(...letters.split('')), { maxLength: 8 }).map((parts) => parts.join(''));

describe('Glob', () => {
  it.each([
    ['*', '', true],
    ['*', 'anything', true],
    ['prod-*', 'prod-', true],
    ['prod-*', 'prod', false],
    ['*-web', 'api-web', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*a*', 'ab', true],
    ['*a*b*', 'xbxa', false],
    ['*a*b*', 'xaxb', true],
    ['a**b', 'ab', true],
    ['a.*', 'abc', false],
    ['ab*ab*ab', 'abab', false],
  ])('%s matches %s: %s', (pattern, text, expected) => {
    expect(new Glob(pattern).matches(text)).toBe(expected);
  });

  it('matches what the model matches', () => {
    fc.assert(
      fc.property(
        shortText('ab*').filter((pattern) => pattern.includes('*')),
        shortText('ab'),
        (pattern, text) => {
          expect(new Glob(pattern).matches(text)).toBe(modelMatches(pattern, text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('refuses a long text that almost fits, without trying every split', () => {
    expect(new Glob(`${'*a'.repeat(60)}*b`).matches('a'.repeat(20_000))).toBe(false);
  });

  it('counts the characters that are not *', () => {
    expect(new Glob('*a**bc*').literalLength).toBe(3);
  });
});
