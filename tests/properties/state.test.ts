import fc from 'fast-check';
import { describe, it } from 'vitest';
import { histories, patienceMs } from './histories.ts';
import { history } from './state-history.ts';
import { polling, sinking, streaming, type OpenReader } from './state-readers.ts';
import { StateWorld } from './state-world.ts';

const worlds = [
  ['in the memory of one process', false],
  ['over a log that is trimmed, lost from sight and opened again', true],
] as const;

const holdsFor = (open: OpenReader, hasLog: boolean): Promise<void> =>
  fc.assert(
    fc.asyncProperty(history, (one) => new StateWorld(one, open, hasLog).run()),
    histories(100),
  );

describe.for(worlds)('who reads the state holds just that, at every `current` and at the end: %s', ([, hasLog]) => {
  it('in process, by poll()', () => holdsFor(polling, hasLog), patienceMs);
  it('through a transport that blocks', () => holdsFor(sinking, hasLog), patienceMs);
  it('through the client, over connections that are cut', () => holdsFor(streaming, hasLog), patienceMs);
});
