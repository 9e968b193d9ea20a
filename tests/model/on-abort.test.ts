import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onAbort } from '../../src/model/on-abort.ts';

describe('many who wait for one signal', () => {
  it('share one listener, so that Node sees no leak', () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 50; i++) onAbort(signal, () => undefined);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  });

  it('are each called once when it is aborted', () => {
    const controller = new AbortController();
    const calls: number[] = [];
    for (let i = 0; i < 3; i++) onAbort(controller.signal, () => calls.push(i));
    controller.abort();
    controller.abort();
    expect(calls).toEqual([0, 1, 2]);
  });

  it('are not called once they took it back, also while another is called', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const stops: (() => void)[] = [];
    onAbort(controller.signal, () => {
      calls.push('a');
      for (const stop of stops) stop();
    });
    stops.push(onAbort(controller.signal, () => calls.push('b')));
    const gone = onAbort(controller.signal, () => calls.push('gone'));
    gone();
    controller.abort();
    expect(calls).toEqual(['a']);
  });

  it('are each kept, where two pass the same function', () => {
    const controller = new AbortController();
    let calls = 0;
    const call = (): void => void calls++;
    onAbort(controller.signal, call);
    onAbort(controller.signal, call)();
    controller.abort();
    expect(calls).toBe(1);
  });
});
