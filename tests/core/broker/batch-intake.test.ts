import { describe, expect, it, onTestFinished } from 'vitest';
import { Acl, defineTopics, EventBroker, type EventBatch, type Gap, type Subscription } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { MemoryEventLog, VirtualClock } from 'fenceline/testing';
import { tellingLog } from '../../logs/log-around.ts';
import { RecordingSink, shortFormat } from '../delivery/recording-sink.ts';

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

  it('that it has a record, told from within a write: it is read after what is being written', async () => {
    const { broker, handler } = await world();
    const body = Buffer.from('{"v":1,"events":[["Job","Made","told","",[],4]]}\nnull');
    const sink = new (class extends RecordingSink {
      override write(chunk: Uint8Array): boolean {
        if (this.chunks.length === 0) void handler().records([{ index: 6, kind: 'events', time: 0, body }]);
        return super.write(chunk);
      }
    })();
    (await broker.subscribe({ index: 'latest' })).deliverTo(sink, shortFormat, { heartbeatMs: 0 });
    await broker.publish(event('e'));
    for (let i = 0; i < 500 && sink.chunks.length < 2; i++) await new Promise(setImmediate);
    expect(sink.writes).toEqual(['5 ', '6 ']);
  });
});

describe('an object of the state that changed to what a reader may not see', () => {
  /** What the rule of tickets answers next; it lets see where nothing is said. */
  const answers: boolean[] = [];
  const topics = defineTopics({
    Order: { requires: 'anyone', retain: 'latest' },
    Ticket: { requires: 'anyone', retain: 'latest', visible: () => answers.shift() ?? true },
  }) as never;
  const changed = (topic: string, ...filterKeys: string[]) => ({ ...event('a'), topic, filterKeys });

  async function readerOf(asked: string, acl?: Acl) {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, topics });
    onTestFinished(() => broker.close());
    const sink = new RecordingSink();
    const subscription = await broker.subscribe({ topics: [asked], state: true, ...(acl && { acl }) });
    subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    const publish = async (given: ReturnType<typeof changed>): Promise<unknown[]> => {
      await clock.settle();
      sink.chunks.length = 0;
      await broker.publish(given);
      await clock.settle();
      return sink.writes.map((line) => JSON.parse(line) as unknown);
    };
    return { publish };
  }

  it('is told in a line without events', async () => {
    const { publish } = await readerOf('Order:red');
    expect(await publish(changed('Order', 'red'))).toMatchObject([{ Index: 1, Events: [{ Key: 'a' }] }]);
    expect(await publish(changed('Order', 'blue'))).toEqual([
      { Index: 2, Events: [], Removed: [{ Topic: 'Order', Namespace: '', Key: 'a' }] },
    ]);
  });

  it('is not told, and breaks nothing, where the rule that showed it hides it when it is asked again', async () => {
    const { publish } = await readerOf('Ticket', Acl.fromRules([], { claims: { user: 'anna' } }));
    expect(await publish(changed('Ticket'))).toMatchObject([{ Index: 1, Events: [{ Key: 'a' }] }]);
    // Of the new event; then twice of the one whose place it took.
    answers.push(false, true, false);
    expect(await publish(changed('Ticket'))).toEqual([]);
    expect(answers).toEqual([]);
  });
});
