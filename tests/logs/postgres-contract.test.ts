import type pg from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';

import { PostgresEventLog, postgresEventLogSql } from '../../src/logs/postgres/index.ts';
import { describeEventLog } from '../../src/testing/index.ts';
import { describeWithPostgres, PostgresServer } from '../servers/postgres-server.ts';

describeWithPostgres('PostgresEventLog over a real server', () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let logs = 0;

  beforeAll(async () => {
    server = await PostgresServer.start('fsync=off');
    pool = server.pool();
  });
  afterAll(async () => {
    await pool?.end();
    await server?.stop();
  });

  const drop = (name: string) =>
    `DROP TABLE ${['head', 'floor', 'records', 'ids', 'pins'].map((part) => `"${name}_${part}"`).join(', ')}`;

  describeEventLog<string>(
    'PostgresEventLog',
    {
      prepare: async () => `contract_${(logs += 1)}`,
      open: (name) => PostgresEventLog.open({ pool, name }),
      dispose: async (name) => void (await pool.query(drop(name))),
      isShared: true,
      kill: () => server.restart(),
      recreate: async (name) => void (await pool.query(`${drop(name)}; ${postgresEventLogSql({ name })}`)),
      survivesRecreation: true,
    },
    { describe, it },
  );
});
