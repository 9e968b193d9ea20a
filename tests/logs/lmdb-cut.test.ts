import { copyFile, mkdir, mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LmdbEventLog } from 'fenceline/lmdb';

describe('a copy of an LMDB file that is cut off', () => {
  let folder: string;
  let sizeBytes: number;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fenceline-cut-'));
    const log = await LmdbEventLog.open({ path: join(folder, 'whole') });
    for (let i = 0; i < 50; i++) await log.append(Buffer.alloc(5000, i));
    await log.close();
    ({ size: sizeBytes } = await stat(join(folder, 'whole', 'data.mdb')));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const cutAt = async (bytes: number): Promise<string> => {
    const path = join(folder, `cut-${bytes}`);
    await mkdir(path, { recursive: true });
    await copyFile(join(folder, 'whole', 'data.mdb'), join(path, 'data.mdb'));
    await truncate(join(path, 'data.mdb'), bytes);
    return path;
  };

  it.each([30, 100, 4096, 8192, 20_000, -4096, -1])('at %i bytes is refused, and ends no process', async (at) => {
    const bytes = at < 0 ? sizeBytes + at : at;
    const path = await cutAt(bytes);
    await expect(LmdbEventLog.open({ path })).rejects.toMatchObject({
      code: 'log_unavailable',
      message: expect.stringMatching(/data\.mdb.* is cut off: it has \d+ bytes of \d+\. Put a whole copy/) as string,
    });
  });

  it('that is whole is read', async () => {
    const log = await LmdbEventLog.open({ path: await cutAt(sizeBytes) });
    expect(await log.state()).toMatchObject({ head: 50 });
    await log.close();
  });
});
