import { NatsServer } from '../servers/nats-server.ts';
import { PostgresServer } from '../servers/postgres-server.ts';
import { RedisServer } from '../servers/redis-server.ts';

/** The server that holds the log. */
export interface LogServer {
  readonly port: number;
  stop(): Promise<void>;
}

const starts: Readonly<Record<string, () => Promise<LogServer>>> = {
  // What matters here is what processes do to each other, not what a power loss does to the disk.
  postgres: () => PostgresServer.start('fsync=off'),
  redis: () => RedisServer.start('--appendfsync', 'always'),
  jetstream: () => NatsServer.start(),
};

/** @throws TypeError for a log that no server is known for; Error when it is not installed */
export async function startLogServer(engine: string): Promise<LogServer> {
  const start = starts[engine];
  if (!start) throw new TypeError(`--log must be one of ${Object.keys(starts).join(', ')}; got ${engine}.`);
  return start();
}
