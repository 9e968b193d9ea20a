import { describe, expect, it } from 'vitest';

import { Lifetime } from '../../../src/core/broker/lifetime.ts';

/** Whether a broker lets somebody in, and whether anything can be asked of it. */
function answersOf(lifetime: Lifetime): readonly string[] {
  return [() => lifetime.requireAdmitting(), () => lifetime.requireOpen()].map((ask) => {
    try {
      ask();
      return 'yes';
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  });
}

describe('the lifetime of a broker', () => {
  it('goes from open over draining, when nobody is let in, to its end', () => {
    const lifetime = new Lifetime();
    expect(answersOf(lifetime)).toEqual(['yes', 'yes']);
    lifetime.drain();
    expect(answersOf(lifetime)).toEqual(['closed', 'yes']);
    lifetime.end();
    expect(answersOf(lifetime)).toEqual(['closed', 'closed']);
  });

  it('never goes back: one that is over does not drain', () => {
    const lifetime = new Lifetime();
    lifetime.end();
    lifetime.drain();
    expect(answersOf(lifetime)).toEqual(['closed', 'closed']);
  });
});
