import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { EventBroker } from '../../src/index.ts';
import { PostgresEventLog, postgresEventLogSql } from '../../src/logs/postgres/index.ts';
import { channelOf } from '../../src/logs/postgres/layout.ts';
import type { PostgresEventLogOptions } from '../../src/logs/postgres/index.ts';
import { MemoryEventLog, TailRecorder } from '../../src/testing/index.ts';
import { describeWithAnyPostgres, postgresForAll } from '../servers/postgres-server.ts';

const body = (text: string) => new TextEncoder().encode(text);
const event = (key: string) => ({ topic: 'Order', type: 'Placed', key, payload: { key } });
const newName = () => `log_${randomUUID().replaceAll('-', '')}`;

describeWithAnyPostgres('a log in PostgreSQL', () => {
  const server = postgresForAll();
  let pool: pg.Pool;
  beforeAll(() => {
    pool = server().pool();
  });
  afterAll(() => pool.end());

  const open = (options: Partial<PostgresEventLogOptions> = {}) =>
    PostgresEventLog.open({ pool, name: newName(), ...options });

  /** As a user with these rights alone. */
  async function poolOf(...grants: string[]): Promise<pg.Pool> {
    const user = `user_${randomUUID().slice(0, 8)}`;
    await pool.query(`CREATE ROLE ${user} LOGIN; ${grants.map((grant) => `GRANT ${grant} TO ${user};`).join(' ')}`);
    return server().pool({ user });
  }

  /** What `use` rejects with; the pool ends with it. */
  async function refusalOf(user: pg.Pool, options: Omit<PostgresEventLogOptions, 'pool'>): Promise<unknown> {
    const refused = await PostgresEventLog.open({ pool: user, ...options }).catch((error: unknown) => error);
    await user.end();
    return refused;
  }

  describe('a transaction of the host', () => {
    it('publishes when it commits, and not before; its index is known before', async () => {
      const log = await open();
      const broker = new EventBroker({ log });
      await broker.ready();
      const subscription = await broker.subscribe();
      const client = await pool.connect();
      await client.query('BEGIN');
      expect(await broker.publish(event('a'), { transaction: client })).toBe(1);
      expect(await broker.publish(event('b'), { transaction: client })).toBe(2);
      expect((await log.state()).head).toBe(0);
      expect(subscription.poll()).toBeUndefined();
      await client.query('COMMIT');
      client.release();
      expect((await subscription.next()).value?.events[0]).toMatchObject({ key: 'a' });
      expect((await subscription.next()).value).toMatchObject({ index: 2, events: [{ key: 'b' }] });
      await broker.close();
      await log.close();
    });

    it('publishes nothing when it rolls back, also to a savepoint, and leaves no hole', async () => {
      const log = await open();
      const tail = new TailRecorder();
      await log.tail(0, tail);
      const client = await pool.connect();
      await client.query('BEGIN');
      await log.append(body('gone'), { transaction: client, id: 'one' });
      await client.query('ROLLBACK');
      await client.query('BEGIN');
      await log.append(body('a'), { transaction: client, id: 'one' });
      await client.query('SAVEPOINT here');
      await log.append(body('gone'), { transaction: client });
      await client.query('ROLLBACK TO here');
      expect(await log.append(body('b'), { transaction: client })).toEqual({ index: 2, duplicate: false });
      await client.query('COMMIT');
      client.release();
      await tail.until(() => tail.indexes.length === 2);
      expect(tail.recorded.map((record) => Buffer.from(record.body).toString())).toEqual(['a', 'b']);
      expect(await log.append(body('c'))).toEqual({ index: 3, duplicate: false });
      await log.close();
    });

    it('stays usable after an id that is known and a head that is not the expected one', async () => {
      const log = await open();
      await log.append(body('a'), { id: 'one' });
      const client = await pool.connect();
      await client.query('BEGIN');
      expect(await log.append(body('a'), { id: 'one', transaction: client })).toEqual({ index: 1, duplicate: true });
      const conflict = log.append(body('b'), { expectedHead: 0, transaction: client });
      await expect(conflict).rejects.toMatchObject({ code: 'index_conflict' });
      expect(await log.append(body('b'), { expectedHead: 1, transaction: client })).toMatchObject({ index: 2 });
      await client.query('COMMIT');
      client.release();
      expect((await log.state()).head).toBe(2);
      await log.close();
    });

    it('is told that it came too late where it is of a stricter isolation, and that it can run again', async () => {
      const log = await open();
      const client = await pool.connect();
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await client.query('SELECT 1');
      await log.append(body('a'));
      const late = log.append(body('b'), { transaction: client });
      await expect(late).rejects.toMatchObject({
        code: 'log_unavailable',
        message: expect.stringContaining('run it again'),
      });
      await client.query('ROLLBACK');
      client.release();
      await log.close();
    });

    it('that is left open holds the others for appendTimeoutMs, and then they say why', async () => {
      const log = await open({ appendTimeoutMs: 50 });
      const client = await pool.connect();
      await client.query('BEGIN');
      await log.append(body('a'), { transaction: client });
      const held = log.append(body('b'));
      await expect(held).rejects.toMatchObject({
        code: 'log_unavailable',
        message: expect.stringContaining('held the log'),
      });
      await client.query('COMMIT');
      client.release();
      expect(await log.append(body('b'))).toMatchObject({ index: 2 });
      await log.close();
    });

    it('needs no connection but its own, also for the first publish, when the pool has none left', async () => {
      const small = server().pool({ max: 2 });
      const log = await PostgresEventLog.open({ pool: small, name: newName() });
      const broker = new EventBroker({ log });
      const clients = [await small.connect(), await small.connect()] as const;
      for (const client of clients) await client.query('BEGIN');
      expect(await broker.publish(event('a'), { transaction: clients[0] })).toBe(1);
      await broker.ready();
      for (const client of clients) {
        await client.query('COMMIT');
        client.release();
      }
      await broker.close();
      await log.close();
      await small.end();
    });

    it('may be a wrapper of what an ORM gives, and one that hands on no rows is told so', async () => {
      const log = await open();
      const rowsOf = async (text: string, values: unknown[]) => (await pool.query(text, values)).rows;
      const wrapper = { query: async (text: string, values: unknown[]) => ({ rows: await rowsOf(text, values) }) };
      expect(await log.append(body('a'), { transaction: wrapper })).toMatchObject({ index: 1 });
      const careless = log.append(body('b'), { transaction: { query: rowsOf as never } });
      await expect(careless).rejects.toThrow(/query must answer with \{ rows \}/);
      await log.close();
    });

    it('takes turns with another one of the process, which holds up neither its publishes nor its end', async () => {
      const log = await open();
      const broker = new EventBroker({ log });
      await broker.ready();
      const [one, other] = [await pool.connect(), await pool.connect()];
      for (const client of [one, other]) await client.query('BEGIN');
      expect(await broker.publish(event('a'), { transaction: one })).toBe(1);
      const held = broker.publish(event('c'), { transaction: other });
      expect(await broker.publish(event('b'), { transaction: one })).toBe(2);
      await one.query('COMMIT');
      expect(await held).toBe(3);
      await other.query('ROLLBACK');
      for (const client of [one, other]) client.release();
      expect((await log.state()).head).toBe(2);
      await broker.close();
      await log.close();
    });

    it('has to have begun: on a client without one nothing is published, and it says so', async () => {
      const log = await open();
      const client = await pool.connect();
      const refusal = await log.append(body('a'), { transaction: client }).catch((error: unknown) => error);
      const begun = client.query('BEGIN');
      const appended = await log.append(body('b'), { transaction: client });
      await begun;
      await client.query('COMMIT');
      client.release();
      expect(String(refusal)).toMatch(/^TypeError: transaction must be a client on which BEGIN ran/);
      expect(appended).toMatchObject({ index: 1 });
      expect(await log.state()).toMatchObject({ head: 1 });
      await log.close();
    });

    it('is that of a client: with the pool itself, which would publish at once, nothing is', async () => {
      const log = await open();
      await expect(log.append(body('a'), { transaction: pool })).rejects.toThrow(/^transaction must be the client/);
      expect((await log.state()).head).toBe(0);
      await log.close();
    });

    it('is refused by other logs, and without one, and beside commit', async () => {
      const transaction = { query: async () => ({ rows: [] }) };
      for (const options of [{}, { log: new MemoryEventLog() }]) {
        const publish = new EventBroker(options).publish(event('a'), { transaction });
        await expect(publish).rejects.toMatchObject({ code: 'not_supported' });
      }
      await expect(new MemoryEventLog().append(body('a'), { transaction })).rejects.toMatchObject({
        code: 'not_supported',
      });
      await expect(new EventBroker().publish(event('a'), { transaction, commit: () => 1 })).rejects.toThrow(TypeError);
      await expect(new EventBroker().publish(event('a'), { transaction: {} as never })).rejects.toThrow(TypeError);
    });
  });

  describe('what cannot be a log is refused when it is opened, with what to do', () => {
    it('a pool of one connection, one that does not say how to connect, and names that are none', async () => {
      const one = server().pool({ max: 1 });
      await expect(open({ pool: one })).rejects.toThrow(/^pool must have two connections at least \(max: 2 or more\)/);
      await one.end();
      const bare = { connect: () => pool.connect(), on: () => 0, removeListener: () => 0 };
      await expect(open({ pool: bare as never })).rejects.toThrow(/pass connect: \(\) => new pg\.Client/);
      for (const name of ['', 'a"b', 'ä', '1a', 'a'.repeat(49)])
        await expect(open({ name })).rejects.toThrow(/^name must be/);
      await expect(open({ schema: 'a"; DROP' })).rejects.toThrow(/^schema must be/);
    });

    it('a table of that name that is another one, or of another layout', async () => {
      const [other, newer, empty] = [newName(), newName(), newName()];
      await pool.query(`CREATE TABLE ${other}_head (x int); CREATE TABLE ${empty}_head (layout int)`);
      await pool.query(`${postgresEventLogSql({ name: newer })}; UPDATE ${newer}_head SET layout = 3`);
      const refused = (message: RegExp) => ({ code: 'bad_request', message: expect.stringMatching(message) });
      await expect(open({ name: other })).rejects.toMatchObject(
        refused(/is not the head of a log: choose another name/),
      );
      await expect(open({ name: empty })).rejects.toMatchObject(refused(/is not the head of a log/));
      await expect(open({ name: newer })).rejects.toMatchObject(
        refused(/layout 3, which is newer than 2.*a newer fence/),
      );
    });

    it('one of which somebody dropped a part, and which the SQL mends', async () => {
      const name = newName();
      await (await open({ name })).close();
      await pool.query(`DROP TABLE ${name}_ids; DROP FUNCTION ${name}_append`);
      await expect(open({ name })).rejects.toMatchObject({
        code: 'bad_request',
        message: expect.stringMatching(/not there: "public"\."log_\w+_ids", the function "public"\."log_\w+_append"\./),
      });
      await pool.query(postgresEventLogSql({ name }));
      await (await open({ name })).close();
    });

    it('one that is not there with create: false, and one that the user may not make or use', async () => {
      const name = newName();
      // As it is from PostgreSQL 15 on.
      await pool.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
      const byHand = expect.stringContaining('postgresEventLogSql');
      await expect(open({ name, create: false })).rejects.toMatchObject({ code: 'bad_request', message: byHand });
      expect(await refusalOf(await poolOf(), { name })).toMatchObject({ code: 'bad_request', message: byHand });
      await pool.query(postgresEventLogSql({ name }));
      const missing = expect.stringMatching(/GRANT SELECT ON "public"\."log_\w+_head"/);
      expect(await refusalOf(await poolOf(), { name })).toMatchObject({ code: 'bad_request', message: missing });
      const tables = ['head', 'floor', 'records', 'ids', 'pins'].map((table) => `${name}_${table}`).join(', ');
      const user = await poolOf(`SELECT, INSERT, UPDATE, DELETE ON ${tables}`);
      const log = await PostgresEventLog.open({ pool: user, name, create: false });
      expect(await log.append(body('a'))).toMatchObject({ index: 1 });
      await log.close();
      await user.end();
    });

    it('a schema that the user may not look into', async () => {
      const schema = `closed_${randomUUID().slice(0, 8)}`;
      await (await open({ name: 'a', schema })).close();
      const message = expect.stringContaining(`GRANT USAGE ON SCHEMA`);
      expect(await refusalOf(await poolOf(), { name: 'a', schema })).toMatchObject({ code: 'bad_request', message });
    });

    it('a session whose transactions are read-only', async () => {
      const readOnly = server().pool({ options: '-c default_transaction_read_only=on' });
      const message = expect.stringContaining('default_transaction_read_only');
      expect(await refusalOf(readOnly, { name: newName() })).toMatchObject({ code: 'not_supported', message });
    });

    it.each([
      ['a server too old', { version: 120_000, release: '12.9' }, /PostgreSQL 12\.9; use 13 or newer/],
      ['a replica', { version: 150_000, is_replica: true }, /read-only replica; connect to the primary/],
    ])('%s', async (_, row, message) => {
      const client = {
        query: async () => ({ rows: [row] }),
        release: () => undefined,
        on: () => 0,
        removeListener: () => 0,
      };
      const connect = (lend: (error: undefined, lent: object) => void) => lend(undefined, client);
      const faked = { connect, on: () => 0, removeListener: () => 0 };
      const refused = open({ pool: faked as never, connect: () => new pg.Client() });
      await expect(refused).rejects.toMatchObject({ code: 'not_supported', message: expect.stringMatching(message) });
    });

    it('a server that is not there, without a word of the password', async () => {
      const away = new pg.Pool({ connectionString: 'postgres://user:hunter2@127.0.0.1:1/x' });
      const refused = await refusalOf(away, { name: 'a' });
      expect(refused).toMatchObject({ code: 'log_unavailable' });
      expect(JSON.stringify([String(refused), String((refused as Error).cause)])).not.toContain('hunter2');
    });
  });

  it.each([
    ['on', 'disk'],
    ['local', 'disk'],
    ['off', 'none'],
  ])('declares what synchronous_commit %s means: %s', async (commit, durability) => {
    const other = server().pool({ options: `-c synchronous_commit=${commit}` });
    const log = await open({ pool: other });
    expect(log.capabilities).toMatchObject({ durability, transactional: true, shared: true, dense: true });
    await log.close();
    await other.end();
  });

  it('is made once by many who open it at once', async () => {
    const name = newName();
    const logs = await Promise.all(Array.from({ length: 6 }, () => open({ name })));
    const states = await Promise.all(logs.map((log) => log.state()));
    expect(new Set(states.map(({ epoch }) => epoch)).size).toBe(1);
    await Promise.all(logs.map((log) => log.close()));
  });

  it.each([
    ['count', { maxRecords: 5 }, 2_496],
    ['bytes', { maxBytes: 500 }, 2_496],
    ['age', { maxAgeMs: 0 }, 2_501],
  ])('keeps by %s what retention says, in slices', async (_, retention, first) => {
    const log = await open();
    await Promise.all(Array.from({ length: 2_500 }, () => log.append(new Uint8Array(100))));
    expect(await log.trim(retention)).toMatchObject({ first, head: 2_500 });
    expect(await log.append(new Uint8Array(1))).toMatchObject({ index: 2_501 });
    await log.close();
  });

  it('drops by itself what its own retention does not keep, and ids whose window has passed', async () => {
    const name = newName();
    const log = await open({ name, retention: { maxRecords: 2 }, dedupeWindowMs: 1 });
    for (const id of ['a', 'b', 'c', 'd']) await log.append(body(id), { id });
    while ((await log.state()).first < 3);
    while ((await pool.query(`SELECT FROM "${name}_ids"`)).rowCount !== 0);
    await log.close();
  });

  it('is woken by the notices of others, and misled by none', async () => {
    const name = newName();
    const [log, other] = await Promise.all([1, 2].map(() => open({ name, pollMs: 60_000 })));
    const told = new TailRecorder();
    await log?.tail(0, told);
    await other?.append(body('a'));
    await told.until(() => told.indexes.length === 1);
    const { epoch } = (await log?.state()) ?? {};
    const channel = channelOf({ name });
    for (const news of [`x ${epoch} 900`, 'x another 900', `x ${epoch} -1`, `x ${epoch} 2e400`, '', 'x'])
      await pool.query('SELECT pg_notify($1, $2)', [channel, news]);
    await other?.append(body('b'));
    await told.until(() => told.indexes.length === 2);
    expect(told.indexes).toEqual([1, 2]);
    expect(told.calls.filter(({ type }) => type === 'gap' || type === 'reset')).toEqual([]);
    expect(await log?.state()).toMatchObject({ first: 1, head: 2 });
    await Promise.all([log?.close(), other?.close()]);
  });

  it('sends its statements as text where a pooler keeps none that are prepared', async () => {
    const sent: string[] = [];
    const forgetful = server().pool();
    forgetful.on('connect', (client) => {
      const { query } = client as { query: (...statement: unknown[]) => unknown };
      client.query = ((statement: { name?: string; text?: string }, ...rest: unknown[]) => {
        sent.push(statement.name === undefined ? 'text' : 'prepared');
        // As a server that has never seen it.
        const isBound = statement.text?.includes('_append') ?? false;
        return query.call(client, isBound ? 'EXECUTE never_prepared' : statement, ...rest);
      }) as never;
    });
    const log = await open({ pool: forgetful });
    sent.length = 0;
    for (const index of [1, 2, 3]) expect(await log.append(body('a'))).toMatchObject({ index });
    expect(sent).toEqual(['prepared', 'text', 'text', 'text']);
    await log.close();
    await forgetful.end();
  });

  it('tells readers of a record that is not ours, and of one that somebody deleted, and goes on', async () => {
    const name = newName();
    const log = await open({ name });
    const broker = new EventBroker({ log });
    const subscription = await broker.subscribe();
    await log.append(body('not ours'));
    const client = await pool.connect();
    await client.query('BEGIN');
    await log.append(body('deleted'), { transaction: client });
    await client.query(`DELETE FROM "${name}_records" WHERE index = 2`);
    await client.query('COMMIT');
    client.release();
    await broker.publish(event('a'));
    const read = (await subscription.next()).value;
    expect(read).toMatchObject({ index: 3, gap: { from: 1, to: 2 } });
    await broker.close();
    await log.close();
  });
});
