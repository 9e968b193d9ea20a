import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineTopics, EventBroker, type BrokerError, payloadOf, type StandardSchema } from 'fenceline';
import { FaultyEventLog, MemoryEventLog } from 'fenceline/testing';
import { failureOf } from './reading.ts';

/** The same shape by each library: a text that is trimmed, a number, and a list of numbers that may be absent. */
const libraries: readonly (readonly [string, StandardSchema])[] = [
  ['zod', z.object({ name: z.string().trim(), total: z.number(), parts: z.array(z.number()).default([]) })],
  [
    'valibot',
    v.object({
      name: v.pipe(v.string(), v.trim()),
      total: v.number(),
      parts: v.optional(v.array(v.number()), []),
    }),
  ],
  ['arktype', type({ name: 'string.trim', total: 'number', parts: type('number[]').default(() => []) })],
];

/** A schema that answers just this. */
const answering = (answer: () => unknown): StandardSchema =>
  ({ '~standard': { version: 1, vendor: 'test', validate: answer } }) as unknown as StandardSchema;

const brokerWith = (payload: StandardSchema, log?: FaultyEventLog) => {
  const topics = defineTopics({
    Order: { payload, requires: 'anyone', retain: 'latest' },
    Note: { requires: 'anyone' },
  });
  return new EventBroker({ topics, ...(log && { log }) });
};
const order = (payload: unknown, key = 'o-1') => ({ topic: 'Order', type: 'OrderPlaced', key, payload }) as const;
const note = { topic: 'Note', type: 'Written', key: 'n', payload: 'x' } as const;
const good = { name: ' desk ', total: 7 };
const published = { name: 'desk', total: 7, parts: [] };

const refusal = async (publishing: () => Promise<unknown>): Promise<BrokerError> => {
  const error = await failureOf(publishing);
  expect(error).toMatchObject({ code: 'bad_request', retry: 'never' });
  return error;
};

describe.each(libraries)('a schema of %s', (_, schema) => {
  it('is asked at publish, and its output is what is published: at once, in the state too', async () => {
    const broker = brokerWith(schema);
    const subscription = await broker.subscribe();
    const publishing = broker.publish(order(good));
    expect(subscription.poll()?.events[0]?.payload).toEqual(published);
    expect(await publishing).toBe(1);
    expect(broker.state().events.map(({ payload }) => payload)).toEqual([published]);
  });

  it('decides what a log is given', async () => {
    const log = new FaultyEventLog(new MemoryEventLog());
    const broker = brokerWith(schema, log);
    await broker.publish(order(good));
    const subscription = await broker.subscribe();
    expect((await subscription.next()).value?.events[0]?.payload).toEqual(published);
    await refusal(() => broker.publish([order(good), order({ name: 'desk' })]));
    expect((await log.state()).head).toBe(1);
    await broker.close();
  });

  it('refuses what does not fit with where and why, and nothing of the batch is published', async () => {
    const broker = brokerWith(schema);
    const subscription = await broker.subscribe();
    const bad = { name: 'desk', total: 7, parts: [1, 'two'] };
    const error = await refusal(() => broker.publish([note, order(good), order(bad)]));
    expect(error.issues).toEqual([{ event: 2, path: ['parts', 1], message: expect.stringMatching(/number/i) }]);
    expect(error.message).toMatch(
      /^events\[2\]\.payload does not fit the schema of topic "Order" \(type "OrderPlaced"\): /,
    );
    expect(error.message).toMatch(/: parts\[1\]: .*number.*\. Nothing was published\.$/i);
    expect(subscription.poll()).toBeUndefined();
    expect(broker.stats().latestIndex).toBe(0);
  });

  it('is asked before the host commits', async () => {
    let isCommitted = false;
    const commit = (): void => void (isCommitted = true);
    await refusal(() => brokerWith(schema).publish(order({}), { commit }));
    expect(isCommitted).toBe(false);
  });

  it('puts nothing into the error but its messages and their places', async () => {
    const bad = { name: { password: 'hush' }, total: 7 };
    const error = await refusal(() => brokerWith(schema).publish(order(bad)));
    expect(error.cause).toBeUndefined();
    expect(error.issues?.map(Object.keys)).toEqual([['event', 'path', 'message']]);
    expect(JSON.stringify([error, error.issues, error.message])).not.toContain('hush');
  });

  it('is asked about an event that is to be explained', async () => {
    await refusal(() => brokerWith(schema).explain({}, order({})));
  });
});

describe('a schema that cannot be asked', () => {
  it.each<[string, StandardSchema]>([
    ['zod', z.string().refine(async () => Promise.resolve(true))],
    [
      'valibot',
      v.pipeAsync(
        v.string(),
        v.checkAsync(async () => Promise.resolve(true)),
      ),
    ],
    ['a promise that rejects', answering(() => Promise.reject(new Error('later')))],
  ])('since it answers later is a TypeError, and publishes nothing: %s', async (_, schema) => {
    const broker = brokerWith(schema);
    const refused = expect(broker.publish([note, order('x')])).rejects;
    await refused.toThrow(/^The schema of topic "Order" .* answers with a promise/);
    await expect(broker.publish(order('x'))).rejects.toBeInstanceOf(TypeError);
    expect(broker.stats().latestIndex).toBe(0);
  });

  it('since it throws refuses the event, with the cause for the host alone', async () => {
    const thrown = new Error('hush');
    const schema = answering(() => {
      throw thrown;
    });
    const error = await refusal(() => brokerWith(schema).publish(order('x')));
    expect(error.cause).toBe(thrown);
    expect(JSON.stringify(error)).not.toContain('hush');
  });

  it.each([undefined, null, 'fine', true, {}, { issues: 'many' }, { issues: [{}] }, { issues: null, value: 1 }])(
    'since it answers %j is a TypeError',
    async (answer) => {
      const broker = brokerWith(answering(() => answer));
      await expect(broker.publish(order('x'))).rejects.toThrow(TypeError);
      expect(broker.stats().latestIndex).toBe(0);
    },
  );

  it('refuses without a reason where it gives none', async () => {
    const error = await refusal(() => brokerWith(answering(() => ({ issues: [] }))).publish(order('x')));
    expect(error).toMatchObject({ issues: [], message: expect.stringContaining('no reason is given') });
  });
});

describe('the issues of a payload', () => {
  it('are bounded: a hundred in the error, three in its message, each cut', async () => {
    const path = [Symbol('s'), { key: 'deep' }, 3];
    const issues = Array.from({ length: 5000 }, () => ({ message: 'm'.repeat(1000), path }));
    const error = await refusal(() => brokerWith(answering(() => ({ issues }))).publish(order('x')));
    expect(error.issues).toHaveLength(100);
    expect(error.issues?.[0]?.path).toEqual(['Symbol(s)', 'deep', 3]);
    expect(error.message).toMatch(/: Symbol\(s\)\.deep\[3\]: m+….*; and 4997 more\. Nothing was published\.$/);
    expect(error.message.length).toBeLessThan(1000);
  });
});

describe('the output of a schema', () => {
  it('is a copy, and must be JSON', async () => {
    const kept = { n: 1 };
    const broker = brokerWith(answering(() => ({ value: kept })));
    const subscription = await broker.subscribe();
    await broker.publish(order('x'));
    kept.n = 2;
    expect(subscription.poll()?.events[0]?.payload).toEqual({ n: 1 });
    await refusal(() => brokerWith(answering(() => ({ value: 1n }))).publish(order('x')));
  });
});

describe('a topic with payloads by event type', () => {
  const topics = defineTopics({
    Order: {
      types: { OrderPlaced: payloadOf<string>(), OrderShipped: z.object({ by: z.string() }) },
      requires: 'anyone',
    },
  });
  type Loose = EventBroker;

  it('refuses a type that it does not have, with the nearest and all known', async () => {
    const broker = new EventBroker({ topics }) as unknown as Loose;
    const error = await refusal(() => broker.publish([order('x'), { ...order('x'), type: 'OrderPlacd' }]));
    expect(error.message).toBe(
      'events[1].type names an unknown type "OrderPlacd" of topic "Order". Did you mean "OrderPlaced"? ' +
        'Known types: OrderPlaced, OrderShipped.',
    );
    expect(broker.stats().latestIndex).toBe(0);
  });

  it('asks the schema of the type alone', async () => {
    const broker = new EventBroker({ topics }) as unknown as Loose;
    await broker.publish(order(7));
    const error = await refusal(() => broker.publish({ ...order({ by: 7 }), type: 'OrderShipped' }));
    expect(error.issues?.[0]).toMatchObject({ event: 0, path: ['by'] });
    expect(error.message).toMatch(/^event\.payload does not fit/);
  });

  it('hands over what a log holds of types and payloads from before, as it is', async () => {
    const log = new FaultyEventLog(new MemoryEventLog());
    const before = new EventBroker({ topics: defineTopics({ Order: { requires: 'anyone' } }), log });
    await before.publish({ ...order(7), type: 'OrderFiled' });
    await before.close();
    const broker = new EventBroker({ topics, log });
    const subscription = await broker.subscribe();
    expect((await subscription.next()).value?.events[0]).toMatchObject({ type: 'OrderFiled', payload: 7 });
    await broker.close();
  });
});
