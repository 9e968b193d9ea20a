import { describe, expect, it, onTestFinished } from 'vitest';
import { EventBroker, type EventBatch, type Gap, type Subscription } from 'fenceline';
import { MemoryEventLog } from 'fenceline/testing';
import { tellingLog } from '../../logs/log-around.ts';

const event = (key: string) => ({ topic: 'Job', type: 'Made', key, payload: null });
const gapText = ({ reason, from, to, epoch }: Gap): string =>
  `(${reason} ${from}-${to}${epoch === undefined ? '' : ' other'}) `;
const textOf = ({ index, events, gap }: EventBatch): string => `${gap ? gapText(gap) : ''}${index}: ${events[0]?.key}`;

/** A broker that has seen four records, with a reader that has read them, and what the log may tell. */
async function world() {
  const { log, handler } = tellingLog(new MemoryEventLog());
  const broker = new EventBroker({ log });
  onTestFinished(() => broker.close());
  await broker.ready();
  for (const key of ['a', 'b', 'c', 'd']) await broker.publish(event(key));
  for (let i = 0; i < 500 && broker.stats().latestIndex < 4; i++) await new Promise(setImmediate);
  const subscription = await broker.subscribe();
  const read = async (count: number, from: Subscription = subscription) => {
    const texts: string[] = [];
    for (let i = 0; i < count; i++) {
      const { value } = await from.next();
      texts.push(value === undefined ? 'the end' : textOf(value));
    }
    return texts;
  };
  expect(await read(4)).toEqual(['1: a', '2: b', '3: c', '4: d']);
  return { broker, handler, subscription, read };
}

describe('news of a log', () => {
  it('that it was cut off: its readers go on after what is left, and are told what may be given again', async () => {
    const { broker, handler, read } = await world();
    handler().reset({ epoch: broker.epoch, first: 1, head: 2 });
    for (let i = 0; i < 500 && broker.stats().latestIndex !== 2; i++) await new Promise(setImmediate);
    expect([broker.stats().latestIndex, broker.position.index]).toEqual([2, 3]);
    const next = read(1);
    await broker.publish(event('e'));
    expect((await next)[0]).toMatch(/^\(ahead 3-4\) /);
  });
});
