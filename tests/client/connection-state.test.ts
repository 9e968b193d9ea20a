import { describe, expect, it } from 'vitest';
import { type Input, type Phase, phaseAfter } from '../../src/client/connection-state.ts';

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
  for (const phase of seen) for (const input of inputs) seen.add(phaseAfter(phase, input));
  return seen;
};

describe('the changes of phase', () => {
  describe.each(phases)('in phase %s', (phase) => {
    it.each(inputs)('%s leads where the list says, or nowhere', (input) => {
      expect(phaseAfter(phase, input)).toBe(changes.get(`${phase} ${input}`) ?? phase);
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
    expect(walk.reduce(phaseAfter, 'connecting' as Phase)).toBe('closed');
  });

  it('a denial after a good connection is a first one', () => {
    const walk: readonly Input[] = ['denied', 'due', 'opened', 'denied'];
    expect(walk.reduce(phaseAfter, 'connecting' as Phase)).toBe('denied');
  });
});
