import { connect } from '@nats-io/transport-node';
import pg from 'pg';
import { createClient } from 'redis';

import type { EventLog, Retention } from 'fenceline';
import { JetStreamEventLog } from 'fenceline/jetstream';
import { PostgresEventLog } from 'fenceline/postgres';
import { RedisEventLog } from 'fenceline/redis';

/** A log that processes of a test share, and what ends its connection. */
export interface SharedLog {
  readonly log: EventLog;
  close(): unknown;
}

type Open = (port: number, retention: Retention) => Promise<SharedLog>;

const openers: Readonly<Record<string, Open>> = { jetstream, postgres, redis };

/** The log `shared` on the server at `port`, over a connection that never gives up and reconnects at once. */
export async function openSharedLog(engine: string, port: number, retention: Retention = {}): Promise<SharedLog> {
  const open = openers[engine];
  if (open === undefined) throw new TypeError(`No log is known as ${engine}.`);
  return open(port, retention);
}

async function jetstream(port: number, retention: Retention): Promise<SharedLog> {
  const connection = await connect({ port, maxReconnectAttempts: -1, reconnectTimeWait: 50, reconnectJitter: 10 });
  const log = await JetStreamEventLog.open({ connection, stream: 'shared', create: { retention } });
  return { log, close: () => connection.close() };
}

async function postgres(port: number, retention: Retention): Promise<SharedLog> {
  const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  pool.on('error', () => undefined);
  const log = await PostgresEventLog.open({ pool, name: 'shared', retention });
  return { log, close: () => pool.end() };
}

async function redis(port: number, retention: Retention): Promise<SharedLog> {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: 50 } });
  await client.on('error', () => undefined).connect();
  const log = await RedisEventLog.open({ client, stream: 'shared', retention });
  return { log, close: () => client.destroy() };
}
