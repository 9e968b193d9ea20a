import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EventBroker } from 'fenceline';
import { JetStreamEventLog } from 'fenceline/jetstream';
import { describeWithNats, NatsServer } from '../servers/nats-server.ts';

/** 2 MB for each reader, 8 MB in the nightly form. */
const batches = process.env['NIGHTLY'] ? 250 : 64;
const readers = 200;
const event = (letters: number) => ({ topic: 'Job', type: 'Made', key: 'a', payload: 'x'.repeat(letters) });

describeWithNats('many who read history at once', () => {
  let nats: NatsServer;
  let connection: NatsConnection;
  let log: JetStreamEventLog;

  beforeAll(async () => {
    nats = await NatsServer.start();
    connection = await nats.connect();
    log = await JetStreamEventLog.open({ connection, stream: 'history' });
  });

  afterAll(async () => {
    await log.close();
    await connection.close();
    await nats.stop();
  });

  it('get all of it, and no publish is refused meanwhile, nor does the log go down', async () => {
    const broker = new EventBroker({ log, buffer: { maxBatches: 1 } });
    const downs: unknown[] = [];
    await Promise.all(Array.from({ length: batches }, () => broker.publish(event(32_000))));
    broker.on('log', ({ status, cause }) => status === 'down' && downs.push(cause));
    const reading = { isOver: false };
    const read = async (): Promise<number> => {
      let count = 0;
      for await (const { index } of await broker.subscribe({ index: 1 })) {
        expect(index).toBe(++count);
        if (count === batches) break;
      }
      return count;
    };
    const all = Promise.all(Array.from({ length: readers }, read)).finally(() => (reading.isOver = true));
    let published = 0;
    while (!reading.isOver) {
      await broker.publish(event(10));
      published++;
    }
    expect(await all).toEqual(Array.from({ length: readers }, () => batches));
    expect(downs).toEqual([]);
    expect(published).toBeGreaterThan(0);
    await broker.close();
  });

  it('get one that is larger than what they ask for at a time', async () => {
    const broker = new EventBroker({ log, buffer: { maxBatches: 1 } });
    const first = await broker.publish(event(500_000));
    await broker.publish(event(10));
    const subscription = await broker.subscribe({ index: first });
    expect((await subscription.next()).value).toMatchObject({ index: first });
    expect((await subscription.next()).value).toMatchObject({ index: first + 1 });
    await broker.close();
  });
});
