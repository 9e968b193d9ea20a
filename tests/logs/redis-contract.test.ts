import { afterAll, beforeAll, describe, it } from 'vitest';

import { RedisEventLog } from '../../src/logs/redis/index.ts';
import { describeEventLog } from '../../src/testing/index.ts';
import { clientKinds, connectTo, describeWithRedis, RedisServer } from '../servers/redis-server.ts';
import type { TestClient } from '../servers/redis-server.ts';

/** A server that is there already; it is not killed, and only keys of ours are touched. */
const givenUrl = process.env['REDIS_URL'];
const name = `contract-${process.pid}`;

describeWithRedis.each(clientKinds)('RedisEventLog over a real server, with the client %s', (kind) => {
  let server: RedisServer | undefined;
  let connected: TestClient;
  let streams = 0;

  beforeAll(async () => {
    if (givenUrl === undefined) server = await RedisServer.start();
    connected = await connectTo(kind, givenUrl ?? server?.url ?? '');
  });
  afterAll(async () => {
    connected?.close();
    await server?.stop();
  });

  const remove = async (stream: string): Promise<void> => {
    await connected.run('DEL', stream, ...['head', 'ids', 'ids:before'].map((key) => `{${stream}}:${key}`));
  };

  describeEventLog<string>(
    'RedisEventLog',
    {
      prepare: async () => `${name}-${kind}-${(streams += 1)}`,
      open: (stream) => RedisEventLog.open({ client: connected.client, stream }),
      dispose: remove,
      isShared: true,
      ...(givenUrl === undefined && { kill: async () => server?.restart() }),
      recreate: remove,
      survivesRecreation: true,
    },
    { describe, it },
  );
});
