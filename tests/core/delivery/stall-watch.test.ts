import { describe, expect, it } from 'vitest';
import { StallWatch, type Stallable } from '../../../src/core/delivery/stall-watch.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

class Transport implements Stallable {
  waitingBytes: number | undefined;
  stalls = 0;

  constructor(waitingBytes?: number) {
    this.waitingBytes = waitingBytes;
  }

  stalled(): void {
    this.stalls++;
  }
}

describe('the watch over transports that push back', () => {
  it('ends one that takes nothing for stalledMs, once', async () => {
    const clock = new VirtualClock();
    const watch = new StallWatch(clock, 1000);
    const transport = new Transport(50);
    watch.add(transport);
    await clock.advance(999);
    expect(transport.stalls).toBe(0);
    await clock.advance(1);
    expect(transport.stalls).toBe(1);
    await clock.advance(5000);
    expect(transport.stalls).toBe(1);
  });

  it('spares one that takes something, as often as it does', async () => {
    const clock = new VirtualClock();
    const watch = new StallWatch(clock, 1000);
    const transport = new Transport(50);
    watch.add(transport);
    for (transport.waitingBytes = 49; transport.waitingBytes > 40; transport.waitingBytes--) await clock.advance(1000);
    expect(transport.stalls).toBe(0);
    await clock.advance(2000);
    expect(transport.stalls).toBe(1);
  });

  it('ends one that cannot tell and does not drain', async () => {
    const clock = new VirtualClock();
    const watch = new StallWatch(clock, 1000);
    const transport = new Transport();
    watch.add(transport);
    await clock.advance(1000);
    expect(transport.stalls).toBe(1);
  });

  it('gives each its whole time, whenever it began to wait, and forgets who drained', async () => {
    const clock = new VirtualClock();
    const watch = new StallWatch(clock, 1000);
    const [first, second, drained] = [new Transport(1), new Transport(1), new Transport(1)];
    watch.add(first);
    watch.add(drained);
    await clock.advance(600);
    watch.add(second);
    watch.remove(drained);
    await clock.advance(400);
    expect([first.stalls, second.stalls]).toEqual([1, 0]);
    await clock.advance(600);
    expect([first.stalls, second.stalls, drained.stalls]).toEqual([1, 1, 0]);
  });

  it('runs no timer while nobody pushes back', () => {
    const clock = new VirtualClock();
    const watch = new StallWatch(clock, 1000);
    const transport = new Transport(1);
    watch.add(transport);
    watch.remove(transport);
    expect(clock.timers).toBe(0);
    new StallWatch(clock, Infinity).add(transport);
    expect(clock.timers).toBe(0);
  });
});
