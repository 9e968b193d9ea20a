import { randomUUID } from 'node:crypto';

import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { PostgresEventLog } from '../../src/logs/postgres/index.ts';
import { describeWithAnyPostgres, postgresForAll } from '../servers/postgres-server.ts';

const body = new Uint8Array(10);
const newName = () => `log_${randomUUID().replaceAll('-', '')}`;

describeWithAnyPostgres('pins of a log in PostgreSQL', () => {
  const server = postgresForAll();
  let pool: pg.Pool;
  beforeAll(() => {
    pool = server().pool();
  });
  afterAll(() => pool.end());

  const open = (name: string) => PostgresEventLog.open({ pool, name });

  async function pinnedIn(log: PostgresEventLog): Promise<Record<number, readonly string[]>> {
    const pinned: Record<number, readonly string[]> = {};
    for await (const chunk of log.pinned()) for (const { index, pins } of chunk) pinned[index] = [...pins].sort();
    return pinned;
  }

  const storedIn = async (name: string) =>
    (await pool.query(`SELECT index::int FROM ${name}_records ORDER BY index`)).rows.map(({ index }) => index);

  it('move when the transaction of the host commits, and not when it rolls back, also to a savepoint', async () => {
    const log = await open(newName());
    await log.append(body, { pins: ['a', 'b'] });
    await log.append(body, { pins: ['c'] });
    await log.trim({ maxRecords: 0 });
    const client = await pool.connect();
    await client.query('BEGIN');
    await log.append(body, { pins: ['a'], unpins: ['b', 'c'], transaction: client });
    expect(await pinnedIn(log)).toEqual({ 1: ['a', 'b'], 2: ['c'] });
    await client.query('ROLLBACK');
    expect(await pinnedIn(log)).toEqual({ 1: ['a', 'b'], 2: ['c'] });
    await client.query('BEGIN');
    await log.append(body, { pins: ['a'], transaction: client });
    await client.query('SAVEPOINT here');
    await log.append(body, { unpins: ['a', 'b', 'c'], transaction: client });
    await client.query('ROLLBACK TO here');
    await client.query('COMMIT');
    client.release();
    expect(await pinnedIn(log)).toEqual({ 1: ['b'], 2: ['c'] });
    await log.trim({ maxRecords: 0 });
    expect(await pinnedIn(log)).toEqual({ 1: ['b'], 2: ['c'], 3: ['a'] });
    await log.close();
  });

  it('leave no record behind that nobody pins: trimmed before, or while the transaction was open', async () => {
    const name = newName();
    const log = await open(name);
    await log.append(body, { pins: ['trimmed before'] });
    await log.append(body, { pins: ['trimmed while'] });
    await log.append(body, { pins: ['kept'] });
    await log.trim({ maxRecords: 2 });
    const client = await pool.connect();
    await client.query('BEGIN');
    await log.append(body, { unpins: ['trimmed before', 'trimmed while'], transaction: client });
    await log.trim({ maxRecords: 0 });
    expect(await storedIn(name)).toEqual([1, 2, 3]);
    await client.query('COMMIT');
    client.release();
    expect(await pinnedIn(log)).toEqual({ 3: ['kept'] });
    expect(await storedIn(name)).not.toContain(1);
    // The trimming left the second one to the append, and that to the trimming: the janitor drops it.
    while ((await storedIn(name)).includes(2));
    expect(await storedIn(name)).toEqual([3, 4]);
    await log.close();
  });

  it('are moved by the last of the appends of one commit that is made, whatever the others are', async () => {
    const log = await open(newName());
    await log.append(body, { id: 'known' });
    await Promise.allSettled([
      log.append(body, { pins: ['a', 'b'] }),
      log.append(body, { pins: ['a'], id: 'known' }),
      log.append(body, { pins: ['c'] }),
      log.append(body, { pins: ['b'], expectedHead: 7 }),
      log.append(body, { unpins: ['c'], pins: ['a'] }),
      log.append(body, { unpins: ['a'], id: 'known' }),
    ]);
    await log.trim({ maxRecords: 0 });
    expect(await pinnedIn(log)).toEqual({ 2: ['b'], 4: ['a'] });
    await log.close();
  });

  it('keep keys as text that can be read, and those that are no text as well', async () => {
    const name = newName();
    const log = await open(name);
    const keys = ['', '\u0000', 'a,b', '{"a"}', '\u00e4', '\ud83d\ude00', '\ufffd', '\ud800', '\udc00\ud800', '#', '='];
    await log.append(body, { pins: keys });
    await log.trim({ maxRecords: 0 });
    expect(await pinnedIn(log)).toEqual({ 1: [...keys].sort() });
    const text = `SELECT convert_from(substring(key FROM 2), 'UTF8') AS key FROM ${name}_pins WHERE key = '={"a"}'`;
    expect((await pool.query(text)).rows).toEqual([{ key: '{"a"}' }]);
    await log.close();
  });

  it('refuse the tables of a log that had none', async () => {
    const name = newName();
    await (await open(name)).close();
    await pool.query(`UPDATE ${name}_head SET layout = 1; DROP TABLE ${name}_pins`);
    const message = expect.stringMatching(/layout 1, which is older than 2/);
    await expect(open(name)).rejects.toMatchObject({ code: 'bad_request', message });
  });
});
