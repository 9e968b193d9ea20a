import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { open } from 'lmdb';
import { describe, expect, it, onTestFinished } from 'vitest';

import { defineTopics, EventBroker } from '../../src/index.ts';
import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';
import { VirtualClock } from '../../src/testing/index.ts';

const topics = defineTopics({ Job: { requires: 'anyone' } });
const job = (key: string) => ({ topic: 'Job', type: 'Made', key, payload: 1 }) as const;

/** A folder whose log somebody has written to with other means, between two runs of the host. */
async function folderWith(damage: (path: string) => Promise<void>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'fenceline-damage-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const log = await LmdbEventLog.open({ path });
  const broker = new EventBroker({ topics, log });
  for (const key of ['a', 'b', 'c']) await broker.publish(job(key));
  await broker.close();
  await log.append(new Uint8Array(3), { id: 'known' });
  await log.close();
  await damage(path);
  return path;
}

async function write(path: string, table: string, key: number | Buffer, value: Buffer): Promise<void> {
  const root = open<Buffer, number>({ path, noSubdir: false, maxDbs: 8, encoding: 'binary' });
  const keyEncoding = Buffer.isBuffer(key) ? { keyEncoding: 'binary' as const } : {};
  await root.openDB<Buffer, number | Buffer>(table, { encoding: 'binary', ...keyEncoding }).put(key, value);
  await root.close();
}

describe('a row of the tables that is shorter than any of ours', () => {
  it('as a record is a told gap of that one index; what follows comes, and trimming goes past it', async () => {
    const path = await folderWith((folder) => write(folder, 'records', 2, Buffer.alloc(3)));
    const log = await LmdbEventLog.open({ path });
    onTestFinished(() => log.close());
    const broker = new EventBroker({ topics, log });
    onTestFinished(() => broker.close());
    const subscription = await broker.subscribe({ topics: ['Job'] });
    expect(await subscription.next()).toMatchObject({ value: { index: 1 } });
    expect(await subscription.next()).toMatchObject({
      value: { index: 3, gap: { from: 2, to: 2, reason: 'trimmed' } },
    });
    await log.trim({ maxRecords: 1 });
    expect(await log.state()).toMatchObject({ first: 4, head: 4 });
  });

  it('as the entry of an id leaves an id that was never used', async () => {
    const path = await folderWith((folder) => write(folder, 'ids', Buffer.from('known'), Buffer.alloc(9)));
    const log = await LmdbEventLog.open({ path });
    onTestFinished(() => log.close());
    expect(await log.append(new Uint8Array(1), { id: 'known' })).toEqual({ index: 5, duplicate: false });
    expect(await log.append(new Uint8Array(1), { id: 'known' })).toEqual({ index: 5, duplicate: true });
  });

  it('as the age of an id goes with the next that expire', async () => {
    const path = await folderWith((folder) => write(folder, 'idAges', 2, Buffer.alloc(5)));
    const clock = new VirtualClock();
    const log = await LmdbEventLog.open({ path, dedupeWindowMs: 1000, clock });
    onTestFinished(() => log.close());
    await log.append(new Uint8Array(1), { id: 'later' });
    await clock.advance(2000);
    expect(await log.append(new Uint8Array(1), { id: 'later' })).toMatchObject({ duplicate: false });
    expect(await log.append(new Uint8Array(1), { id: 'later' })).toMatchObject({ duplicate: true });
  });
});
