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
 * The connection, but for each seventh message that a subscription with a callback should get: a server drops those of
 * a slow reader.
 */
function lossy(connection: NatsConnection): { readonly connection: NatsConnection; readonly lost: () => number } {
  let received = 0;
  const subscribe: Subscribe = (subject, { callback } = {}) =>
    (connection as NatsConnectionLike).subscribe(subject, {
      callback: (error, message) => void ((received += 1) % 7 !== 0 && callback?.(error, message)),
    });
  return { connection: withMethod(connection, 'subscribe', subscribe), lost: () => Math.floor(received / 7) };
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
    const log = await JetStreamEventLog.open({ connection: wire, stream: 'events' });
    const indexes: number[] = [];
    for await (const chunk of log.read(1, RECORDS)) indexes.push(...chunk.map(({ index }) => index));
    expect(indexes).toEqual(all);
    expect(lost()).toBeGreaterThan(3);
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
