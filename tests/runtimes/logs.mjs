// The logs, on servers that the environment names.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connect } from '@nats-io/transport-node';
import { EventBroker } from 'fenceline';
import { JetStreamEventLog } from 'fenceline/jetstream';
import { LmdbEventLog } from 'fenceline/lmdb';
import { PostgresEventLog } from 'fenceline/postgres';
import { RedisEventLog } from 'fenceline/redis';
import { MemoryEventLog } from 'fenceline/testing';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createClient } from 'redis';

import { check } from './checks.mjs';
import { order } from './orders.mjs';

const { POSTGRES_PORT, REDIS_PORT, NATS_PORT } = process.env;

/** What one broker published another one reads, and then what comes. */
async function shared(open) {
  const first = new EventBroker({ log: await open() });
  for (const n of [1, 2, 3]) await first.publish(order(n));
  await first.close();
  const second = new EventBroker({ log: await open() });
  const subscription = await second.subscribe({ index: 2 });
  const read = async () => (await subscription.next()).value.events[0].key;
  assert.deepEqual([await read(), await read()], ['o2', 'o3']);
  await second.publish(order(4));
  assert.equal(await read(), 'o4');
  await second.close();
}

check('the log in memory', async () => {
  const log = new MemoryEventLog();
  await shared(() => log);
});

check('LMDB', async () => {
  const path = await mkdtemp(join(tmpdir(), 'fenceline-runtimes-'));
  let log;
  await shared(async () => {
    await log?.close();
    return (log = await LmdbEventLog.open({ path }));
  });
  await log.close();
  await rm(path, { recursive: true });
});

if (POSTGRES_PORT) {
  check('PostgreSQL', async () => {
    const pool = new pg.Pool({
      host: '127.0.0.1',
      port: Number(POSTGRES_PORT),
      user: 'postgres',
      database: 'postgres',
    });
    const name = `log_${process.pid}`;
    let log;
    await shared(async () => {
      await log?.close();
      return (log = await PostgresEventLog.open({ pool, name }));
    });
    await log.close();
    await pool.end();
  });
}

if (REDIS_PORT) {
  const url = `redis://127.0.0.1:${REDIS_PORT}`;
  const onRedis = async (client, stream) => {
    let log;
    await shared(async () => {
      await log?.close();
      return (log = await RedisEventLog.open({ client, stream }));
    });
    await log.close();
  };
  check('Redis, over node-redis', async () => {
    const client = createClient({ url });
    await client.connect();
    await onRedis(client, `a${process.pid}`);
    client.destroy();
  });
  check('Redis, over ioredis', async () => {
    const client = new Redis(url);
    await onRedis(client, `b${process.pid}`);
    client.disconnect();
  });
}

if (NATS_PORT) {
  check('JetStream', async () => {
    const connection = await connect({ port: Number(NATS_PORT) });
    const stream = `s${process.pid}`;
    let log;
    await shared(async () => {
      await log?.close();
      return (log = await JetStreamEventLog.open({ connection, stream, create: {} }));
    });
    await log.close();
    await connection.close();
  });
}
