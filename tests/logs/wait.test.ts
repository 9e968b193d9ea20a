import { getEventListeners } from 'node:events';

import { describe, expect, it } from 'vitest';

import { backoffMs, pause, untilAborted } from '../../src/logs/wait.ts';

describe('two hundred who wait for the end of one log', () => {
  it('share one listener, which goes with the last of them', async () => {
    const { signal } = new AbortController();
    const settle: (() => void)[] = [];
    const waits = Array.from({ length: 200 }, () =>
      untilAborted(new Promise<void>((resolve) => settle.push(resolve)), signal),
    );
    const pauses = Array.from({ length: 200 }, () => pause(1, signal));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const each of settle) each();
    await Promise.all([...waits, ...pauses]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('all hear of it, also those who come later', async () => {
    const log = new AbortController();
    const never = new Promise<void>(() => undefined);
    const waits = [untilAborted(never, log.signal), untilAborted(never, log.signal)];
    const paused = pause(2 ** 31, log.signal);
    log.abort(new Error('closed'));
    for (const wait of [...waits, untilAborted(never, log.signal)]) await expect(wait).rejects.toThrow('closed');
    await paused;
    await pause(2 ** 31, log.signal);
  });
});

describe('the pause after a consumer was lost', () => {
  it('is none at first, then doubles up to a second', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 1000].map(backoffMs)).toEqual([0, 100, 200, 400, 800, 1000, 1000, 1000]);
  });
});
