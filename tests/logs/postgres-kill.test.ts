import pg from 'pg';
import { afterEach, expect, it } from 'vitest';

import type { EventLog, LogRecord, TailHandler } from '../../src/core/log/event-log.ts';
import { PostgresEventLog } from '../../src/logs/postgres/index.ts';
import { seeded } from '../client/random.ts';
import { describeWithPostgres, PostgresServer } from '../servers/postgres-server.ts';

/** `NIGHTLY=1` is the long run: 8 × 20,000 and 20 kills. */
const isLong = process.env['NIGHTLY'] === '1';
const WRITERS = 8;
const PUBLISHES = isLong ? 20_000 : 200;
const KILLS = isLong ? 20 : 3;

const textOf = ({ body }: LogRecord) => Buffer.from(body).toString();

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** What a tail told, and who waits for how much of it. */
class Told implements TailHandler {
  readonly keys: string[] = [];
  readonly faults: string[] = [];
  #awaited: { readonly count: number; readonly resolve: () => void } | undefined;

  records(batch: readonly LogRecord[]): void {
    for (const record of batch) {
      if (record.index !== this.keys.length + 1) this.faults.push(`${record.index} after ${this.keys.length}`);
      this.keys.push(textOf(record));
    }
    if (this.#awaited && this.keys.length >= this.#awaited.count) this.#awaited.resolve();
  }

  gap({ first }: { readonly first: number }): void {
    this.faults.push(`gap before ${first}`);
  }

  reset(): void {
    this.faults.push('reset');
  }

  status(): void {}

  async reached(count: number): Promise<void> {
    if (this.keys.length < count) await new Promise<void>((resolve) => (this.#awaited = { count, resolve }));
  }
}

/** Tried until the server is there. */
async function untilDone<R>(attempt: () => Promise<R>): Promise<R> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** A publish in a transaction of the host's, beside its own row, which then tells whether it committed. */
async function publishInTransaction(pool: pg.Pool, log: EventLog, key: string, commits: boolean): Promise<void> {
  const client = await untilDone(() => pool.connect());
  const ignore = () => undefined;
  client.on('error', ignore);
  let isBroken = false;
  try {
    await client.query('BEGIN');
    await client.query('INSERT INTO host VALUES ($1)', [key]);
    await log.append(Buffer.from(key), { transaction: client });
    await client.query(commits ? 'COMMIT' : 'ROLLBACK');
  } catch {
    isBroken = true;
  }
  client.release(isBroken);
  client.removeListener('error', ignore);
}

describeWithPostgres('eight writers, a third of their publishes in transactions that abort at random', () => {
  it(`lose nothing and see no phantom through ${KILLS} kills, beside a transaction left open`, async () => {
    const server = await PostgresServer.start('fsync=off');
    cleanups.push(() => server.stop());
    const pools = [server.pool(), server.pool()] as const;
    cleanups.push(() => Promise.all(pools.map((pool) => pool.end())));
    await pools[0].query('CREATE TABLE host (key text)');
    const logs = await Promise.all(pools.map((pool) => PostgresEventLog.open({ pool, name: 'log' })));
    cleanups.push(() => Promise.all(logs.map((log) => log.close())));
    const tails = logs.map(() => new Told());
    await Promise.all(logs.map((log, i) => log.tail(0, tails[i] as Told)));
    const acknowledged = new Map<string, number>();

    const write = async (writer: number) => {
      const random = seeded(writer + 1);
      const [log, pool] = [logs[writer % 2] as EventLog, pools[writer % 2] as pg.Pool];
      for (let n = 0; n < PUBLISHES; n++) {
        const key = `${writer}-${n}`;
        if (n % 3 === 0) await publishInTransaction(pool, log, `host-${key}`, random() < 0.5);
        else acknowledged.set(key, (await untilDone(() => log.append(Buffer.from(key), { id: key }))).index);
      }
    };
    const leaveOpen = async () => {
      const idle = new pg.Client(server.config);
      idle.on('error', () => undefined);
      await idle.connect();
      await idle.query('BEGIN; CREATE TABLE IF NOT EXISTS never (x int); SELECT 1');
      cleanups.push(() => idle.end().catch(() => undefined));
    };

    await leaveOpen();
    const writing = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
    const expected = (WRITERS * PUBLISHES * 2) / 3;
    for (let kill = 1; kill <= KILLS; kill++) {
      await Promise.race([tails[0]?.reached(Math.floor((expected * kill) / (KILLS + 1))), writing]);
      await server.restart();
      await leaveOpen();
    }
    await writing;
    const { head } = await untilDone(() => (logs[0] as EventLog).state());
    await Promise.all(tails.map((tail) => tail.reached(head)));

    const committed = await pools[0].query<{ key: string }>('SELECT key FROM host');
    const [first = new Told(), second] = tails;
    const read: string[] = [];
    for await (const chunk of (logs[0] as EventLog).read(1, head)) read.push(...chunk.map(textOf));
    expect(tails.flatMap(({ faults }) => faults)).toEqual([]);
    expect(second?.keys).toEqual(first.keys);
    expect(read).toEqual(first.keys);
    expect(first.keys.filter((key) => key.startsWith('host-')).toSorted()).toEqual(
      committed.rows.map(({ key }) => key).toSorted(),
    );
    const own = first.keys.flatMap((key, at) => (key.startsWith('host-') ? [] : [[key, at + 1] as const]));
    expect(new Map(own)).toEqual(acknowledged);
    expect(own).toHaveLength(acknowledged.size);
    // A writer that was acknowledged before it published again stands before it.
    for (let writer = 0; writer < WRITERS; writer++) {
      const indexes = [...acknowledged].filter(([key]) => key.startsWith(`${writer}-`)).map(([, index]) => index);
      expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
    }
    console.log(`note: ${head} records of ${WRITERS} writers on PostgreSQL through ${KILLS} kills`);
  });
});
