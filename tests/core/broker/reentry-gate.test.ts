import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReentryGate } from '../../../src/core/broker/reentry-gate.ts';

describe('the re-entry gate', () => {
  it('calls at once while no step is under way', () => {
    const gate = new ReentryGate();
    const calls: string[] = [];
    gate.defer(() => calls.push('deferred'));
    expect(calls).toEqual(['deferred']);
    expect(gate.whenIdle()).toBeUndefined();
  });

  it('calls in order when the outermost step is over, whatever steps are nested in it', () => {
    const gate = new ReentryGate();
    const calls: string[] = [];
    gate.run(() => {
      gate.defer(() => calls.push('first'));
      gate.run(() => gate.defer(() => calls.push('nested')));
      gate.defer(() => calls.push('last'));
      calls.push('step');
    });
    expect(calls).toEqual(['step', 'first', 'nested', 'last']);
  });

  it('hands on what a step returns and throws, and is idle afterwards', () => {
    const gate = new ReentryGate();
    expect(gate.run(() => 7)).toBe(7);
    const calls: string[] = [];
    const failing = () =>
      gate.run(() => {
        gate.defer(() => calls.push('all the same'));
        throw new Error('step');
      });
    expect(failing).toThrow('step');
    expect(calls).toEqual(['all the same']);
    expect(gate.whenIdle()).toBeUndefined();
  });

  it('loses none of those that wait when one of them throws', () => {
    const gate = new ReentryGate();
    const calls: string[] = [];
    const failing = () =>
      gate.run(() => {
        gate.defer(() => calls.push('before'));
        gate.defer(() => {
          throw new Error('deferred');
        });
        gate.defer(() => calls.push('after'));
      });
    expect(failing).toThrow('deferred');
    expect(calls).toEqual(['before', 'after']);
  });

  it('resolves who waits for it when the step is over, and not before', async () => {
    const gate = new ReentryGate();
    const calls: string[] = [];
    let waiting: Promise<unknown> | undefined;
    gate.run(() => {
      waiting = gate.whenIdle()?.then(() => calls.push('idle'));
      calls.push('step');
    });
    await waiting;
    expect(calls).toEqual(['step', 'idle']);
  });

  it('calls everything exactly once, after the step in which it was deferred', () => {
    interface Tree {
      readonly defers: number;
      readonly nested: readonly Tree[];
    }
    const treeOf = (depth: number): fc.Arbitrary<Tree> =>
      fc.record({
        defers: fc.nat(3),
        nested: depth === 0 ? fc.constant([]) : fc.array(treeOf(depth - 1), { maxLength: 3 }),
      });
    fc.assert(
      fc.property(treeOf(4), (root) => {
        const gate = new ReentryGate();
        const expected: number[] = [];
        const called: number[] = [];
        let depth = 0;
        const walk = ({ defers, nested }: Tree): void => {
          gate.run(() => {
            depth++;
            for (let i = 0; i < defers; i++) {
              const id = expected.push(expected.length) - 1;
              gate.defer(() => {
                if (depth > 0) throw new Error('called within a step');
                called.push(id);
              });
            }
            nested.forEach(walk);
            depth--;
          });
        };
        walk(root);
        expect(called).toEqual(expected);
      }),
    );
  });
});
