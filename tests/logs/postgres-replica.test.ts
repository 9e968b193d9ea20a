import { afterEach, expect, it } from 'vitest';

import { PostgresEventLog } from '../../src/logs/postgres/index.ts';
import { TailRecorder } from '../../src/testing/index.ts';
import { describeWithPostgres, PostgresServer } from '../servers/postgres-server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

describeWithPostgres('a PostgreSQL that becomes a replica, and the primary again', () => {
  // A replica takes no LISTEN, and may lag: the log is down as long as it talks to one.
  it('is down meanwhile, refuses appends and says why, is not opened anew, and then goes on where it was', async () => {
    const server = await PostgresServer.start('fsync=off');
    cleanups.push(() => server.stop());
    const pool = server.pool();
    cleanups.push(() => pool.end());
    const log = await PostgresEventLog.open({ pool, name: 'log' });
    cleanups.push(() => log.close());
    const tail = new TailRecorder();
    await log.tail(0, tail);
    await log.append(Buffer.from('a'));
    await tail.until(() => tail.indexes.length === 1);

    await server.kill();
    await tail.until(() => tail.statuses.at(-1) === 'down');
    await server.demote();
    await server.run();
    await expect(log.append(Buffer.from('b'))).rejects.toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining('read-only'),
    });
    await expect(PostgresEventLog.open({ pool, name: 'log' })).rejects.toMatchObject({
      code: 'not_supported',
      message: expect.stringContaining('read-only replica; connect to the primary'),
    });

    await pool.query('SELECT pg_promote()');
    expect(await log.append(Buffer.from('c'))).toEqual({ index: 2, duplicate: false });
    await tail.until(() => tail.indexes.length === 2 && tail.statuses.at(-1) === 'up');
    expect(tail.statuses.slice(0, 2)).toEqual(['up', 'down']);
    expect(tail.calls.filter(({ type }) => type === 'gap' || type === 'reset')).toEqual([]);
  });
});
