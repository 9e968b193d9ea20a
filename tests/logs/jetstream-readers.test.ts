import { it } from 'vitest';

import { JetStreamEventLog } from '../../src/logs/jetstream/index.ts';
import { describeWithNats, natsForAll } from '../servers/nats-server.ts';
import { servesManyReaders } from './many-readers.ts';

/** Two megabytes of history, four hundred that are read. */
const STORED = 128;

describeWithNats('two hundred readers at once of the whole history of a JetStream', () => {
  const nats = natsForAll();

  let attempts = 0;

  // A tail that hears nothing for a second is down, and rightly: where this process got no time for so long, once more.
  it('get all of it, while every append is made and a tail stays up', { retry: 2 }, async () => {
    const log = await JetStreamEventLog.open({ connection: nats().connection, stream: `log${attempts++}` });
    await servesManyReaders(log, STORED);
    await log.close();
  });
});
