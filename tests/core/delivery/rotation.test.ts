import { describe, expect, it } from 'vitest';

import { Rotation } from '../../../src/core/delivery/rotation.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

class Stream {
  readonly endedAt: number[] = [];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  rotate(): void {
    this.endedAt.push(this.#clock.now());
  }
}

describe('the longest life of streams', () => {
  it('ends those that are left of a step when others of it have gone', async () => {
    const clock = new VirtualClock(0);
    const rotation = new Rotation(clock, 10_000, () => 0.5);
    const [gone, left] = [new Stream(clock), new Stream(clock)];
    const leave = rotation.add(gone);
    rotation.add(left);
    expect(clock.timers).toBe(1);
    leave?.();
    leave?.();
    await clock.advance(20_000);
    expect([gone.endedAt, left.endedAt]).toEqual([[], [10_000]]);
  });

  it('holds no timer once all of a step have gone', () => {
    const clock = new VirtualClock(0);
    const rotation = new Rotation(clock, 10_000, () => 0.5);
    const leaves = [rotation.add(new Stream(clock)), rotation.add(new Stream(clock))];
    for (const leave of leaves) leave?.();
    expect(clock.timers).toBe(0);
  });

  it('is never shorter than nine tenths, wherever in a step it began', async () => {
    const clock = new VirtualClock(7);
    const rotation = new Rotation(clock, 10_000, () => 0);
    const stream = new Stream(clock);
    rotation.add(stream);
    await clock.advance(20_000);
    expect(stream.endedAt).toEqual([9007]);
  });

  it('holds a thousand timers at most, and some for the width of chance', () => {
    const clock = new VirtualClock(0);
    let next = 0;
    const rotation = new Rotation(clock, 1_000_000, () => (next++ % 5000) / 5000);
    for (let i = 0; i < 5000; i++) rotation.add(new Stream(clock));
    expect(clock.timers).toBe(200);
  });
});
