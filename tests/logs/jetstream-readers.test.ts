import { expect, it } from 'vitest';

import { JetStreamEventLog } from '../../src/logs/jetstream/index.ts';
import { TailRecorder } from '../../src/testing/index.ts';
import { describeWithNats, natsForAll } from '../servers/nats-server.ts';

const READERS = 200;
/** Two megabytes of history, four hundred that are read. */
const STORED = 128;
const BYTES = 16 * 1024;
const ADDED = 100;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const stored = range(1, STORED);

describeWithNats('two hundred readers at once of the whole history of a JetStream', () => {
  const nats = natsForAll();

  let attempts = 0;

  // A tail that hears nothing for a second is down, and rightly: where this process got no time for so long, once more.
  it('get all of it, while every append is made and a tail stays up', { retry: 2 }, async () => {
    const log = await JetStreamEventLog.open({ connection: nats().connection, stream: `log${attempts++}` });
    for (const _ of stored) await log.append(new Uint8Array(BYTES));
    const tail = new TailRecorder();
    await log.tail(STORED, tail);
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
    await log.close();
  });
});
