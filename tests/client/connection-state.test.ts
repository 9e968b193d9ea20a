import { describe, expect, it } from 'vitest';
import { type Input, type Phase, transitions } from '../../src/client/connection-state.ts';

const phases: readonly Phase[] = ['connecting', 'live', 'waiting', 'denied', 'renewing', 'closed'];
const inputs: readonly Input[] = ['opened', 'lost', 'denied', 'due', 'close'];

/** Every change there is. What is not listed changes nothing. */
const changes: ReadonlyMap<string, Phase> = new Map<`${Phase} ${Input}`, Phase>([
  ['connecting opened', 'live'],
  ['renewing opened', 'live'],
  ['connecting lost', 'waiting'],
  ['live lost', 'waiting'],
  ['renewing lost', 'denied'],
  ['connecting denied', 'denied'],
  ['live denied', 'denied'],
  ['renewing denied', 'closed'],
  ['live due', 'connecting'],
  ['waiting due', 'connecting'],
  ['denied due', 'renewing'],
  ['connecting close', 'closed'],
  ['live close', 'closed'],
  ['waiting close', 'closed'],
  ['denied close', 'closed'],
  ['renewing close', 'closed'],
]);

const reachable = (from: Phase): Set<Phase> => {
  const seen = new Set([from]);
  for (const phase of seen) for (const input of inputs) seen.add(transitions[phase][input]);
  return seen;
};

describe('the transition table', () => {
  it('has these phases and inputs and no others', () => {
    expect(Object.keys(transitions)).toEqual(phases);
    for (const phase of phases) expect(Object.keys(transitions[phase])).toEqual(inputs);
  });

  describe.each(phases)('in phase %s', (phase) => {
    it.each(inputs)('%s leads where the list says, or nowhere', (input) => {
      expect(transitions[phase][input]).toBe(changes.get(`${phase} ${input}`) ?? phase);
    });

    it('every phase that can be reached is known', () => {
      for (const reached of reachable(phase)) expect(phases).toContain(reached);
    });

    it('only the end is final', () => {
      expect(reachable(phase).has('live')).toBe(phase !== 'closed');
      expect(reachable(phase).has('closed')).toBe(true);
    });
  });

  it('a second denial is final, also when the connection between them is lost', () => {
    const walk: readonly Input[] = ['opened', 'denied', 'due', 'lost', 'due', 'denied'];
    expect(walk.reduce<Phase>((phase, input) => transitions[phase][input], 'connecting')).toBe('closed');
  });

  it('a denial after a good connection is a first one', () => {
    const walk: readonly Input[] = ['denied', 'due', 'opened', 'denied'];
    expect(walk.reduce<Phase>((phase, input) => transitions[phase][input], 'connecting')).toBe('denied');
  });
});
