import { describe, expect, it } from 'vitest';

import { EventBroker } from '../../../src/index.ts';
import { VirtualClock } from '../../../src/testing/index.ts';
import { RecordingSink, shortFormat } from '../delivery/recording-sink.ts';

const event = { topic: 'Job', type: 'Made', key: 'a', payload: null };

/** Timers that keep this process from ending. */
const holding = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

/** A broker with two streams in step. */
async function world() {
  const clock = new VirtualClock();
  const broker = new EventBroker({ clock, random: () => 0 });
  const open = async (sink: RecordingSink): Promise<RecordingSink> => {
    (await broker.subscribe()).deliverTo(sink, shortFormat, { heartbeatMs: 0 });
    await clock.settle();
    return sink;
  };
  return { clock, broker, open };
}

describe('close({ drainMs })', () => {
  it('keeps the process until it is over, and no longer', async () => {
    const { clock, broker, open } = await world();
    await open(new RecordingSink());
    await open(new RecordingSink());
    const before = holding();
    const closing = broker.close({ drainMs: 1000 });
    expect(holding()).toBe(before + 1);
    await clock.advance(1000);
    await closing;
    expect(holding()).toBe(before);
  });

  // With the least time that there is, all are due at once.
  it.each([0, Number.MIN_VALUE, 1000])(
    '(%d) from within a write: all get the batch that is under way, then their end',
    async (drainMs) => {
      const { clock, broker, open } = await world();
      let closing: Promise<void> | undefined;
      const first = await open(
        new (class extends RecordingSink {
          override write(chunk: Uint8Array): boolean {
            closing ??= broker.close({ drainMs });
            return super.write(chunk);
          }
        })(),
      );
      const second = await open(new RecordingSink());
      await broker.publish(event);
      await clock.settle();
      await clock.advance(drainMs);
      await closing;
      for (const { writes, ended } of [first, second])
        expect([writes, ended?.last]).toEqual([['1 '], 'closed after 1']);
    },
  );
});

it.each([-1, Number.NaN, '1000'])('drainMs %j is refused with what is allowed', async (drainMs) => {
  const close = async (): Promise<void> => new EventBroker().close({ drainMs: drainMs as number });
  await expect(close()).rejects.toThrow('drainMs must be a number of milliseconds, 0 (all at once) or more; got ');
});
