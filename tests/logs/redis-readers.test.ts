import { it } from 'vitest';

import { clientKinds, describeWithRedis } from '../servers/redis-server.ts';
import { cleanUpAfterEach, openOn, startServer } from './redis-around.ts';
import { servesManyReaders } from './many-readers.ts';

/** Half a megabyte of history, a hundred that are read. */
const STORED = 32;

describeWithRedis.each(clientKinds)('two hundred readers at once of a whole Redis log, on the client %s', (kind) => {
  cleanUpAfterEach();

  it('get all of it, while every append is made and a tail stays up', async () => {
    const log = await openOn(await startServer('--appendfsync', 'no'), kind);
    await servesManyReaders(log, STORED);
  });
});
