import { once } from 'node:events';
import { setImmediate as turnOfLoop } from 'node:timers/promises';

import type pg from 'pg';
import { afterEach, expect, it } from 'vitest';

import {
  AclResolver,
  defineTopics,
  EventBroker,
  type AclPolicy,
  type AclStore,
  type Subscription,
} from '../../src/index.ts';
import { PostgresEventLog } from '../../src/logs/postgres/index.ts';
import { nomadRights } from '../../src/nomad/index.ts';
import { TailRecorder } from '../../src/testing/index.ts';
import { describeWithPostgres, PostgresServer } from '../servers/postgres-server.ts';
import { servesManyReaders } from './many-readers.ts';

const ROUNDS = 6;
const topics = defineTopics({ Job: { requires: { namespace: 'read-job' } }, ACLPolicy: { aclChange: 'policy' } });
const job = (key: string) => ({ topic: 'Job', type: 'JobRegistered', key, namespace: 'default', payload: {} }) as const;
const policy: AclPolicy = { name: 'p', rules: { namespace: { default: { policy: 'read' } } } };
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A server that ends with the test, and the log and pools on it. */
async function serve(): Promise<PostgresServer> {
  const server = await PostgresServer.start('fsync=off');
  cleanups.push(() => server.stop());
  return server;
}

async function logOn(server: PostgresServer, options: { readonly pollMs?: number } = {}) {
  const pool = server.pool();
  const log = await PostgresEventLog.open({ pool, name: 'log', ...options });
  cleanups.push(async () => {
    await log.close();
    await pool.end();
  });
  return { pool, log };
}

/** Policies in a table of the host's, which its transactions change. */
function storeIn(pool: pg.Pool): AclStore {
  const token = { accessorId: 'a', secretId: 'tenant', type: 'client', policies: ['p'], roles: [] } as const;
  return {
    tokenBySecretId: (secret) => (secret === 'tenant' ? token : undefined),
    policyByName: async (name) => {
      const { rowCount } = await pool.query('SELECT FROM policies WHERE name = $1', [name]);
      return rowCount === 1 ? policy : undefined;
    },
    roleById: () => undefined,
  };
}

/** Reads with the tenant's rights; whenever it is refused it asks again. */
class Tenant {
  readonly subscriptions: number[][] = [];
  readonly #broker: EventBroker<never>;
  #isOver = false;
  #onServed: () => void = () => undefined;
  #onDenied: () => void = () => undefined;

  constructor(broker: unknown) {
    this.#broker = broker as EventBroker<never>;
  }

  async watch(): Promise<void> {
    while (!this.#isOver) {
      await this.#read().catch(() => this.#onDenied());
      // What refuses at once would else leave no turn to the servers.
      await turnOfLoop();
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  served(): Promise<void> {
    return new Promise((resolve) => (this.#onServed = resolve));
  }

  denied(): Promise<void> {
    return new Promise((resolve) => (this.#onDenied = resolve));
  }

  async #read(): Promise<void> {
    const subscription: Subscription = await this.#broker.subscribe({
      token: 'tenant',
      topics: ['Job'] as never,
      index: 'latest',
    });
    const got: number[] = [];
    this.subscriptions.push(got);
    for await (const { index } of subscription) {
      got.push(index);
      this.#onServed();
    }
  }
}

describeWithPostgres('two brokers on one PostgreSQL', () => {
  it('keep one order, and no tenant gets an event above a revocation in a transaction, through kills', async () => {
    const server = await serve();
    const { pool: host } = await logOn(server);
    await host.query(`CREATE TABLE policies (name text); INSERT INTO policies VALUES ('p')`);
    const brokers = await Promise.all(
      [1, 2].map(async () => {
        const { pool, log } = await logOn(server);
        const broker = new EventBroker({
          topics,
          log,
          acl: new AclResolver({ rights: nomadRights, store: storeIn(pool) }),
          publishWhenDown: 'wait',
        });
        cleanups.push(() => broker.close());
        await broker.ready();
        return { broker, log, pool };
      }),
    );
    const tenants = brokers.map(({ broker }) => new Tenant(broker));
    const watching = tenants.map((tenant) => tenant.watch());
    const recorders = brokers.map(() => new TailRecorder());
    await Promise.all(brokers.map(({ log }, i) => log.tail(0, recorders[i] as TailRecorder)));

    const over = new AbortController();
    const publishing = brokers.map(async ({ broker }, i) => {
      for (let n = 0; !over.signal.aborted; n++)
        await broker.publish(job(`${i}-${n}`), { id: `${i}-${n}` }).catch(() => undefined);
    });
    const revocations: number[] = [];
    /** The policy and its news in one transaction, by either broker; one that is rolled back before changes nothing. */
    const change = async (round: number, type: string, statement: string) => {
      const { broker, pool } = brokers[round % 2] as (typeof brokers)[number];
      for (const end of ['ROLLBACK', 'COMMIT']) {
        const client = await pool.connect();
        await client.query('BEGIN');
        await client.query(statement);
        const news = { topic: 'ACLPolicy', type, key: 'p', payload: {} } as const;
        const index = await broker.publish(news, { transaction: client });
        await client.query(end);
        client.release();
        if (end === 'COMMIT' && type === 'ACLPolicyDeleted') revocations.push(index);
      }
    };
    for (let round = 1; round <= ROUNDS; round++) {
      await Promise.all(tenants.map((tenant) => tenant.served()));
      const denied = Promise.all(tenants.map((tenant) => tenant.denied()));
      await change(round, 'ACLPolicyDeleted', 'DELETE FROM policies');
      await denied;
      if (round % 3 === 0) await server.restart();
      await Promise.all(brokers.map(({ broker }) => untilUp(broker)));
      await change(round, 'ACLPolicyUpserted', `INSERT INTO policies VALUES ('p')`);
    }
    over.abort();
    await Promise.all(publishing);
    const { head } = await (brokers[0] as (typeof brokers)[number]).log.state();
    await Promise.all(recorders.map((recorder) => recorder.until(() => recorder.indexes.length >= head)));
    for (const tenant of tenants) tenant.stop();
    await Promise.all(brokers.map(({ broker }) => broker.close()));
    await Promise.all(watching);

    const [first, second] = recorders.map(({ recorded }) => recorded.map(({ body }) => Buffer.from(body).toString()));
    expect(first).toEqual(second);
    expect(recorders[0]?.indexes).toEqual(range(1, head));
    expect(revocations).toHaveLength(ROUNDS);
    for (const got of tenants.flatMap(({ subscriptions }) => subscriptions)) {
      const [from = 0, to = 0] = [got[0], got.at(-1)];
      expect(revocations.filter((index) => from < index && index < to)).toEqual([]);
    }
  });

  it('wake each other: what one publishes the other hands over long before it looks by itself', async () => {
    const server = await serve();
    const [one, other] = await Promise.all([1, 2].map(() => logOn(server, { pollMs: 3_600_000 })));
    const tail = new TailRecorder();
    await other?.log.tail(0, tail);
    await one?.log.append(Buffer.from('a'));
    const client = await one?.pool.connect();
    await client?.query('BEGIN');
    await one?.log.append(Buffer.from('b'), { transaction: client as pg.PoolClient });
    await client?.query('COMMIT');
    client?.release();
    await tail.until(() => tail.indexes.length === 2);
  });
});

async function untilUp(broker: { stats(): { readonly log?: string | undefined }; once: unknown }): Promise<void> {
  while (broker.stats().log !== 'up') await once(broker as never, 'log');
}

describeWithPostgres('a PostgreSQL that came back from a backup', () => {
  it.each([
    ['shorter than what was told: goes on from its head', 1, { head: 2 }, [3]],
    ['longer again than what was told: goes on from its oldest', 5, { first: 1, head: 0 }, range(1, 7)],
  ])('%s', async (_, added, reset, indexes) => {
    const server = await serve();
    const { log } = await logOn(server);
    const tail = new TailRecorder();
    await log.tail(0, tail);
    for (let n = 0; n < 2; n++) await log.append(Buffer.from('before'));
    await server.kill();
    const copy = await server.backUp();
    await server.run();
    await tail.until(() => tail.statuses.at(-1) === 'up');
    for (let n = 0; n < 3; n++) await log.append(Buffer.from('lost'));
    await tail.until(() => tail.indexes.length === 5);
    await server.kill();
    await tail.until(() => tail.statuses.at(-1) === 'down');
    await server.restore(copy);
    await runWithMore(server, added);
    await tail.until(() => tail.statuses.at(-1) === 'up' && tail.calls.some(({ type }) => type === 'reset'));
    if (added === 1) await log.append(Buffer.from('after'));
    await tail.until(() => tail.indexes.length === 5 + indexes.length);
    expect(tail.calls.find(({ type }) => type === 'reset')).toMatchObject({ state: reset });
    expect(tail.indexes.slice(5)).toEqual(indexes);
  });

  /** Started on another port first, where the log does not see it, unless nothing is to be added. */
  async function runWithMore(server: PostgresServer, added: number): Promise<void> {
    if (added > 1)
      await server.elsewhere(async (pool) => {
        const log = await PostgresEventLog.open({ pool, name: 'log' });
        for (let n = 0; n < added; n++) await log.append(Buffer.from('other'));
        await log.close();
      });
    await server.run();
  }
});

describeWithPostgres('two hundred readers at once of the whole history in PostgreSQL', () => {
  it('get all of it, while every append is made and a tail stays up', async () => {
    const { log } = await logOn(await serve());
    await servesManyReaders(log, 64);
  });
});
