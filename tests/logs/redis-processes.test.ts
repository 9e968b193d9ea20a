import { it } from 'vitest';

import { describeWithRedis, RedisServer } from '../servers/redis-server.ts';
import { fenceHoldsAcrossProcesses } from './processes-on-one-log.ts';

describeWithRedis('three publishing and three serving processes on one Redis', () => {
  it('all streams have one order, no tenant gets an event above a revocation, through six kills of the server', () =>
    fenceHoldsAcrossProcesses('redis', () => RedisServer.start()));
});
