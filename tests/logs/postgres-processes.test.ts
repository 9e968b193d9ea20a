import { it } from 'vitest';

import { describeWithPostgres, PostgresServer } from '../servers/postgres-server.ts';
import { fenceHoldsAcrossProcesses } from './processes-on-one-log.ts';

describeWithPostgres('three publishing and three serving processes on one PostgreSQL', () => {
  it('all streams have one order, no tenant gets an event above a revocation, through six kills of the server', () =>
    fenceHoldsAcrossProcesses('postgres', () => PostgresServer.start()));
});
