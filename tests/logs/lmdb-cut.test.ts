import { execFile } from 'node:child_process';
import { cp, mkdtemp, open as openFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';

const MOST_PAGE_BYTES = 65_536;
const RECORDS = 100;
const root = fileURLToPath(new URL('../../', import.meta.url));

const sizeOf = async (folder: string) => (await stat(join(folder, 'data.mdb'))).size;

/** What a process of its own says of the logs: LMDB may end it. */
async function openedElsewhere(folders: readonly string[]): Promise<string[]> {
  const args = ['--import', './tests/tooling/typescript.mjs', 'tests/logs/lmdb-open-all.ts', ...folders];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  return stdout.trim().split('\n');
}

/** What the file says of itself. */
async function headerOf(folder: string): Promise<{ readonly pageBytes: number; readonly bytesByLastPage: number }> {
  const file = await openFile(join(folder, 'data.mdb'));
  const { buffer } = await file.read(Buffer.alloc(MOST_PAGE_BYTES * 2), 0, MOST_PAGE_BYTES * 2, 0);
  await file.close();
  const pageBytes = buffer.readUInt32LE(48);
  const lastPages = [0, pageBytes].map((meta) => Number(buffer.readBigUInt64LE(meta + 144)));
  return { pageBytes, bytesByLastPage: (Math.max(...lastPages) + 1) * pageBytes };
}

describe('the file of an LmdbEventLog', () => {
  const folders: string[] = [];
  let whole = '';

  async function newFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'fenceline-lmdb-'));
    folders.push(folder);
    return folder;
  }

  async function cutTo(size: number): Promise<string> {
    const folder = await newFolder();
    await cp(join(whole, 'data.mdb'), join(folder, 'data.mdb'));
    await truncate(join(folder, 'data.mdb'), size);
    return folder;
  }

  beforeEach(async () => {
    whole = await newFolder();
    const log = await LmdbEventLog.open({ path: whole });
    const append = (n: number) =>
      log.append(new Uint8Array((n * 997) % 9000), { id: `${n}`, pins: [`${n % 150} `.padEnd(1000, 'x')] });
    await Promise.all(Array.from({ length: 2 * RECORDS }, (_, n) => append(n)));
    await log.trim({ maxRecords: RECORDS });
    await log.close();
  });
  afterEach(async () => {
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
  });

  it('is refused when it was cut off, wherever, and LMDB does not get to end the process over it', async () => {
    const size = await sizeOf(whole);
    const { pageBytes: page } = await headerOf(whole);
    const sizes = [1, 30, 100, page, page + 200, 2 * page, 3 * page, size / 2, size - 2 * page, size - 1];
    const cut = await Promise.all(sizes.map((each) => cutTo(Math.floor(each))));
    const [wholeReader, wholeWriter, ...told] = await openedElsewhere([whole, ...cut]);
    expect([wholeReader, wholeWriter]).toEqual([`whole, ${RECORDS} records`, `whole, ${RECORDS} records`]);
    expect(told).toHaveLength(2 * cut.length);
    for (const line of told) expect(line).toMatch(/^log_unavailable: The file \S+data\.mdb is (cut off|damaged)/);
  });

  it('is refused with its name and what to do, and no lock stays behind', async () => {
    const folder = await cutTo((await sizeOf(whole)) - 1);
    for (const readOnly of [true, false]) {
      await expect(LmdbEventLog.open({ path: folder, readOnly })).rejects.toMatchObject({
        code: 'log_unavailable',
        message: expect.stringMatching(/data\.mdb is cut off .* Put a whole copy in its place, or delete the folder/),
      });
    }
    await expect(stat(join(folder, 'writer.lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is whole where pages at its end were given back before they were written', async () => {
    const root = open({ path: whole, noSubdir: false, encoding: 'binary' });
    const table = root.openDB<Buffer, number>({ name: 'large', encoding: 'binary' });
    root.transactionSync(() => {
      for (let key = 0; key < RECORDS; key++) table.putSync(key, Buffer.alloc(9000));
      for (let key = 0; key < RECORDS; key++) table.removeSync(key);
    });
    await root.close();
    expect(await sizeOf(whole)).toBeLessThan((await headerOf(whole)).bytesByLastPage);
    expect(await openedElsewhere([whole])).toEqual([`whole, ${RECORDS} records`, `whole, ${RECORDS} records`]);
  });

  // Its last page may have been given back by the very transaction that took it.
  it('is whole after all was trimmed, though it may be a page shorter than it says', async () => {
    const trimmed = [6, 13, 44, 49, 99, 105].map(async (records) => {
      const path = await newFolder();
      const log = await LmdbEventLog.open({ path });
      await Promise.all(Array.from({ length: records }, () => log.append(new Uint8Array(101))));
      await log.trim({ maxRecords: 0 });
      await log.close();
      return path;
    });
    const paths = await Promise.all(trimmed);
    const told = await openedElsewhere(paths);
    expect(told).toEqual(paths.flatMap(() => ['whole, 0 records', 'whole, 0 records']));
  });
});
