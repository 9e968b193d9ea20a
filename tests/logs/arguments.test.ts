import { describe, expect, it } from 'vitest';

import { BrokerError, defineTopics, EventBroker } from '../../src/index.ts';
import { JetStreamEventLog } from '../../src/logs/jetstream/index.ts';
import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';
import { PostgresEventLog } from '../../src/logs/postgres/index.ts';
import { RedisEventLog } from '../../src/logs/redis/index.ts';
import { MemoryEventLog } from '../../src/testing/index.ts';

// As plain JavaScript would pass them.
const any = (value: unknown) => value as never;
const body = new Uint8Array(1);
const pool = { connect: () => undefined, query: () => undefined, options: { max: 4 } };
const connection = any({ subscribe: () => undefined });
const refusalOf = (use: () => unknown): Promise<unknown> =>
  Promise.resolve()
    .then(use)
    .then(
      () => 'nothing',
      (error: unknown) => error,
    );

describe('what a log cannot be opened with', () => {
  const inJetStream = (create: object) => JetStreamEventLog.open({ connection, stream: 's', create: any(create) });

  it.each<[string, () => unknown]>([
    ['dedupeWindowMs must be a number ≥ 0; got -1.', () => LmdbEventLog.open({ path: '/no', dedupeWindowMs: -1 })],
    [
      'dedupeWindowMs must be a number ≥ 0; got NaN.',
      () => PostgresEventLog.open(any({ pool, name: 'a', dedupeWindowMs: Number.NaN })),
    ],
    ['pollMs must be a number > 0; got 0.', () => PostgresEventLog.open(any({ pool, name: 'a', pollMs: 0 }))],
    ['pool must be a Pool of pg.', () => PostgresEventLog.open(any({ pool: {}, name: 'a' }))],
    [
      'pool must have two connections at least',
      () => PostgresEventLog.open(any({ pool: { ...pool, options: { max: 1 } }, name: 'a' })),
    ],
    ['name must be a letter, then letters', () => PostgresEventLog.open(any({ pool, name: 'a;b' }))],
    ['schema must be a letter or "_"', () => PostgresEventLog.open(any({ pool, name: 'a', schema: '1' }))],
    ['connection must be a connection to NATS.', () => JetStreamEventLog.open(any({ connection: {}, stream: 's' }))],
    ['stream must be letters, digits', () => JetStreamEventLog.open({ connection, stream: 'a.b' })],
    [
      'subject must be a NATS subject without wildcards',
      () => JetStreamEventLog.open({ connection, stream: 's', subject: 'a.*' }),
    ],
    ['create.replicas must be 1 to 5; got 6.', () => inJetStream({ replicas: 6 })],
    ["create.storage must be 'file' or 'memory'; got tape.", () => inJetStream({ storage: 'tape' })],
    ['retention.maxBytes must be a number > 0; got 0.', () => inJetStream({ retention: { maxBytes: 0 } })],
    ['client must be', () => RedisEventLog.open(any({ client: undefined, stream: 's' }))],
  ])('is named: %s', async (message, open) => {
    const refused = await refusalOf(open);
    expect(refused).toBeInstanceOf(TypeError);
    expect((refused as Error).message).toContain(message);
  });
});

describe('what a log cannot be asked', () => {
  const log = new MemoryEventLog();

  it.each<[string, () => unknown]>([
    ['from must be an index ≥ 1; got 0.', () => log.read(0, 1)],
    ['maxBytes must be a number > 0; got 0.', () => log.read(1, 1, { maxBytes: 0 })],
    ['after must be an index or 0; got -1.', () => log.tail(-1, any({}))],
    ["kind must be 'events' or 'acl'; got other.", () => log.append(body, { kind: any('other') })],
    ['The body of a record must be a Uint8Array.', () => log.append(any('text'))],
    ['expectedHead must be an index or 0; got 1.5.', () => log.append(body, { expectedHead: 1.5 })],
  ])('is a programming mistake: %s', async (message, use) => {
    expect(await refusalOf(use)).toEqual(new TypeError(message));
  });

  it('is told with a code where this log does not have it', async () => {
    expect(await refusalOf(() => log.append(body, { transaction: any({}) }))).toMatchObject({ code: 'not_supported' });
  });
});

describe('a publish that a log cannot take', () => {
  const topics = defineTopics({ Job: {} });
  const event = { topic: 'Job', type: 't', key: 'k', payload: 'x'.repeat(200) } as const;

  it('is refused where its record is too long for it, with both sizes', async () => {
    const broker = new EventBroker({ topics, log: new MemoryEventLog({ maxRecordBytes: 100 }) });
    const refused = await refusalOf(() => broker.publish(event));
    expect(refused).toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(/at most 100 bytes .*not 2\d\d/) as string,
    });
    await broker.close();
  });

  it.each<[object, RegExp]>([
    [{ transaction: {} }, /transaction must have a function query/],
    [{ transaction: null }, /transaction must have a function query/],
    [{ transaction: { query: () => undefined }, commit: () => undefined }, /commit and transaction exclude each other/],
    [{ commit: 7 }, /commit must be a function; got 7/],
    [{ append: true }, /append needs the index/],
  ])('is a programming mistake with %j', async (options, message) => {
    const broker = new EventBroker({ topics });
    const refused = await refusalOf(() => broker.publish(event, any(options)));
    expect(refused).toBeInstanceOf(TypeError);
    expect((refused as Error).message).toMatch(message);
    expect(broker.stats().latestIndex).toBe(0);
    await broker.close();
  });

  it('is not supported in a transaction where the log is not transactional', async () => {
    const broker = new EventBroker({ topics, log: new MemoryEventLog() });
    const refused = await refusalOf(() =>
      broker.publish(event, { transaction: { query: () => Promise.resolve({ rows: [] }) } }),
    );
    expect(BrokerError.is(refused) && refused.code).toBe('not_supported');
    await broker.close();
  });

  it('says what an index has to be, with append and without', async () => {
    const broker = new EventBroker({ topics });
    await broker.publish(event, { index: 7 });
    const messages = await Promise.all(
      [{ index: 6 }, { index: 6, append: true }].map(
        async (options) => (await refusalOf(() => broker.publish(event, options))) as Error,
      ),
    );
    expect(messages.map(({ message }) => message)).toEqual([
      'index must be above the newest index, 7; got 6.',
      'index must be the newest index, 7, or above it; got 6.',
    ]);
    expect(await broker.publish(event, { index: 7, append: true })).toBe(7);
    await broker.close();
  });
});
