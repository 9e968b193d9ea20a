import { it } from 'vitest';

import { describeWithNats, NatsServer } from '../servers/nats-server.ts';
import { fenceHoldsAcrossProcesses } from './processes-on-one-log.ts';

describeWithNats('three publishing and three serving processes on one JetStream', () => {
  it('all streams have one order, no tenant gets an event above a revocation, through six kills of the server', () =>
    fenceHoldsAcrossProcesses('jetstream', () => NatsServer.start()));
});
