import { expect, it } from 'vitest';

import { clientKinds, describeWithRedis } from '../servers/redis-server.ts';
import { cleanUpAfterEach, follow, openOn, startServer } from './redis-around.ts';

const READERS = 200;
/** Half a megabyte of history, a hundred that are read. */
const STORED = 32;
const BYTES = 16 * 1024;
const ADDED = 100;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const stored = range(1, STORED);

describeWithRedis.each(clientKinds)('two hundred readers at once of a whole Redis log, on the client %s', (kind) => {
  cleanUpAfterEach();

  it('get all of it, while every append is made and a tail stays up', async () => {
    const log = await openOn(await startServer('--appendfsync', 'no'), kind);
    for (const _ of stored) await log.append(new Uint8Array(BYTES));
    const tail = await follow(log, STORED);
    const reads = range(1, READERS).map(async () => {
      const indexes: number[] = [];
      for await (const chunk of log.read(1, STORED, { maxBytes: 65_536 })) {
        indexes.push(...chunk.map(({ index }) => index));
      }
      return indexes;
    });
    for (const n of range(1, ADDED)) expect(await log.append(new Uint8Array(10))).toMatchObject({ index: STORED + n });
    for (const indexes of await Promise.all(reads)) expect(indexes).toEqual(stored);
    await tail.until(() => tail.indexes.length === ADDED);
    expect(tail.statuses).not.toContain('down');
  });
});
