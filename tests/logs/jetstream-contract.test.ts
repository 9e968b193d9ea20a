import { jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, it } from 'vitest';

import { JetStreamEventLog } from '../../src/logs/jetstream/index.ts';
import { describeEventLog } from '../../src/testing/index.ts';
import { describeWithNats, NatsServer } from '../servers/nats-server.ts';

describeWithNats('JetStreamEventLog over a real server', () => {
  let server: NatsServer;
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let streams = 0;

  beforeAll(async () => {
    server = await NatsServer.start();
    connection = await server.connect();
    manager = await jetstreamManager(connection);
  });
  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  describeEventLog<string>(
    'JetStreamEventLog',
    {
      prepare: async () => `contract-${(streams += 1)}`,
      open: (stream) => JetStreamEventLog.open({ connection, stream }),
      dispose: async (stream) => void (await manager.streams.delete(stream)),
      isShared: true,
      // Retention is the server's: it drops the oldest records when its bound is lowered, and then gets its bound back.
      trimTo: async (stream, first) => {
        const { config, state } = await manager.streams.info(stream);
        const keep = state.last_seq - first + 1;
        if (keep > 0) await manager.streams.update(stream, { ...config, max_msgs: keep });
        else await trimAll(stream);
        await manager.streams.update(stream, { ...config, max_msgs: -1, max_age: 0 });
      },
      kill: () => server.restart(),
      recreate: async (stream) => {
        const { config } = await manager.streams.info(stream);
        await manager.streams.delete(stream);
        await manager.streams.add(config);
      },
      survivesRecreation: true,
    },
    { describe, it },
  );

  /** No count of the server's keeps nothing; an age does. */
  async function trimAll(stream: string): Promise<void> {
    const { config } = await manager.streams.info(stream);
    await manager.streams.update(stream, { ...config, max_age: 100e6, duplicate_window: 100e6 });
    while ((await manager.streams.info(stream)).state.messages > 0);
  }
});
