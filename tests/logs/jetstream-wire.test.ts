import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { JetStreamEventLog } from '../../src/logs/jetstream/index.ts';
import type { NatsConnectionLike } from '../../src/logs/jetstream/index.ts';
import { TailRecorder } from '../../src/testing/index.ts';
import { describeWithNats, NatsServer } from '../servers/nats-server.ts';

const RECORDS = 100;
const all = Array.from({ length: RECORDS }, (_, i) => i + 1);

type Subscribe = NatsConnectionLike['subscribe'];

/** The connection, but for one of its methods. */
function withMethod(connection: NatsConnection, method: string, instead: unknown): NatsConnection {
  return new Proxy(connection, {
    get(target, name) {
      if (name === method) return instead;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/**
 * The connection, but for one in seven messages that a subscription with a callback should get: a server drops those of
 * a slow reader. Not each seventh one: where seven divides what is left, that would be the first of every try.
 */
function lossy(connection: NatsConnection): { readonly connection: NatsConnection; readonly lost: () => number } {
  let lost = 0;
  let seed = 1;
  const isLost = (): boolean => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % 7 === 0;
  };
  const subscribe: Subscribe = (subject, { callback } = {}) =>
    (connection as NatsConnectionLike).subscribe(subject, {
      callback: (error, message) => (isLost() ? void (lost += 1) : callback?.(error, message)),
    });
  return { connection: withMethod(connection, 'subscribe', subscribe), lost: () => lost };
}

/** The connection, and how many bytes its pulls asked for, one after the other; undefined: one record of any size. */
function watched(connection: NatsConnection) {
  const asked: { readonly batch: number; readonly max_bytes?: number }[] = [];
  const publish: NatsConnection['publish'] = (subject, payload, options) => {
    if (subject.includes('.CONSUMER.MSG.NEXT.')) {
      asked.push(JSON.parse(String(payload)) as (typeof asked)[number]);
    }
    return connection.publish(subject, payload, options);
  };
  return { connection: withMethod(connection, 'publish', publish), asked };
}

/** The connection, on which something happens just before a consumer is made. */
function beforeConsumer(connection: NatsConnection, act: () => Promise<unknown>): NatsConnection {
  const request: NatsConnection['request'] = async (subject, ...rest) => {
    if (subject.includes('.CONSUMER.CREATE.')) await act();
    return connection.request(subject, ...rest);
  };
  return withMethod(connection, 'request', request);
}

describeWithNats('JetStreamEventLog over a connection that is not as it should be', () => {
  let server: NatsServer;
  let connection: NatsConnection;

  beforeAll(async () => {
    server = await NatsServer.start();
    connection = await server.connect();
    const log = await JetStreamEventLog.open({ connection, stream: 'events' });
    for (const _ of all) await log.append(new Uint8Array(10));
    await log.close();
  });
  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  it('a tail tells every record once and in order, and takes no loss for a gap', async () => {
    const { connection: wire, lost } = lossy(connection);
    const log = await JetStreamEventLog.open({ connection: wire, stream: 'events' });
    const tail = new TailRecorder();
    await log.tail(0, tail);
    await tail.until(() => tail.indexes.length >= RECORDS);
    expect(tail.indexes).toEqual(all);
    expect(tail.calls.filter(({ type }) => type === 'gap' || type === 'reset')).toEqual([]);
    expect(lost()).toBeGreaterThan(3);
    await log.close();
  });

  it('a read gives every record once and in order, and takes no loss for a gap', async () => {
    const { connection: wire, lost } = lossy(connection);
    // The last record may be lost several times in a row, and each time only the silence tells.
    const log = await JetStreamEventLog.open({ connection: wire, stream: 'events', requestTimeoutMs: 60_000 });
    const indexes: number[] = [];
    for await (const chunk of log.read(1, RECORDS)) indexes.push(...chunk.map(({ index }) => index));
    expect(indexes).toEqual(all);
    expect(lost()).toBeGreaterThan(3);
    await log.close();
  });

  it('a read has no more on its way than it hands over at once, but for a record that is larger', async () => {
    const { connection: wire, asked } = watched(connection);
    const log = await JetStreamEventLog.open({ connection: wire, stream: 'sizes' });
    const sizes = [30_000, 30_000, 30_000, 200_000, 30_000, 900_000, 10];
    for (const bytes of sizes) await log.append(new Uint8Array(bytes));
    const read: number[] = [];
    for await (const chunk of log.read(1, sizes.length, { maxBytes: 65_536 })) {
      read.push(...chunk.map(({ body }) => body.byteLength));
    }
    expect(read).toEqual(sizes);
    const unbounded = asked.filter(({ max_bytes }) => max_bytes === undefined);
    // A server that is busy may be asked for one of them once more.
    expect(unbounded.length).toBeGreaterThanOrEqual(2);
    expect(unbounded.every(({ batch }) => batch === 1)).toBe(true);
    for (const { max_bytes = 0 } of asked) expect(max_bytes).toBeLessThan(80_000);
    await log.close();
  });

  it('a tail gets a record that is larger than what it asks for', async () => {
    const log = await JetStreamEventLog.open({ connection: watched(connection).connection, stream: 'large' });
    const tail = new TailRecorder();
    await log.tail(0, tail);
    const largest = new Uint8Array(log.capabilities.maxRecordBytes);
    await log.append(largest);
    await log.append(largest);
    await tail.until(() => tail.indexes.length === 2);
    expect(tail.recorded.map(({ body }) => body.byteLength)).toEqual([largest.byteLength, largest.byteLength]);
    expect(tail.statuses).not.toContain('down');
    await log.close();
  });

  it('a read whose stream is replaced before its consumer is made gives nothing of the other stream', async () => {
    const manager = await jetstreamManager(connection);
    const stream = 'replaced';
    const fill = async () => {
      const other = await JetStreamEventLog.open({ connection, stream });
      for (let i = 0; i < 5; i++) await other.append(new Uint8Array(10));
      await other.close();
    };
    await fill();
    const wire = beforeConsumer(connection, async () => {
      await manager.streams.delete(stream);
      await fill();
    });
    const log = await JetStreamEventLog.open({ connection: wire, stream });
    const seen: number[] = [];
    const read = async () => {
      for await (const chunk of log.read(1, 5)) seen.push(...chunk.map(({ index }) => index));
    };
    await expect(read()).rejects.toMatchObject({ code: 'gap', message: expect.stringContaining('replaced') });
    expect(seen).toEqual([]);
    await log.close();
  });
});
