import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { EventLog } from '../../src/core/log/event-log.ts';
import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';
import { TailRecorder } from '../../src/testing/index.ts';
import { killAfter } from './kill-after.ts';

const NIGHTLY = process.env['NIGHTLY'] === '1';
const root = fileURLToPath(new URL('../../', import.meta.url));

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'fenceline-kill-'));
});
afterEach(() => rm(path, { recursive: true, force: true }));

interface Acknowledged {
  readonly index: number;
  readonly text: string;
}

/** A process that appends to the log in `path`; `errors` is what it says on standard error. */
function startWriter(durability: string, name: string) {
  const args = ['--import', './tests/tooling/typescript.mjs', 'tests/logs/lmdb-writer.ts', path, durability, name];
  const writer = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  writer.stderr.on('data', (data) => (errors += String(data)));
  return { writer, errors: () => errors };
}

async function kill(writer: ChildProcess): Promise<void> {
  if (writer.signalCode !== null) return;
  const closed = once(writer, 'close');
  writer.kill('SIGKILL');
  await closed;
}

/** Kills a writer when it has acknowledged `count` appends. @returns all that it acknowledged */
async function writeAndKill(durability: string, name: string, count: number): Promise<Acknowledged[]> {
  const { writer, errors } = startWriter(durability, name);
  const { closed, lines } = killAfter(writer, count);
  await closed;
  expect(lines().length, errors()).toBeGreaterThanOrEqual(count);
  return lines().map((line) => ({ index: Number.parseInt(line), text: line.slice(line.indexOf(' ') + 1) }));
}

async function readTexts(log: EventLog): Promise<Map<number, string>> {
  const texts = new Map<number, string>();
  const { head } = await log.state();
  for await (const chunk of log.read(1, head)) {
    for (const { index, body } of chunk) texts.set(index, new TextDecoder().decode(body).trimEnd());
  }
  return texts;
}

async function checkAfterKill(acknowledged: readonly Acknowledged[], heads: number[]): Promise<void> {
  const log = await LmdbEventLog.open({ path });
  try {
    const texts = await readTexts(log);
    const { head } = await log.state();
    expect([...texts.keys()], 'no index is missing').toEqual(Array.from({ length: head }, (_, i) => i + 1));
    expect(acknowledged.map(({ index }) => texts.get(index))).toEqual(acknowledged.map(({ text }) => text));
    expect(head, 'indexes go on').toBeGreaterThan(heads.at(-1) ?? 0);
    const { index, text = '' } = acknowledged.at(-1) ?? {};
    expect(await log.append(new Uint8Array(1), { id: text }), 'ids outlive the kill').toEqual({
      index,
      duplicate: true,
    });
    heads.push(head);
  } finally {
    await log.close();
  }
}

describe('LmdbEventLog over kill −9', () => {
  for (const [durability, normally] of [
    ['disk', 4],
    ['os', 2],
  ] as const) {
    const rounds = NIGHTLY ? 25 : normally;

    it(`nothing acknowledged is missing and indexes go on, ${rounds} times at random, durability ${durability}`, async () => {
      const acknowledged: Acknowledged[] = [];
      const heads: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const count = 1 + Math.floor(Math.random() * 1500);
        acknowledged.push(...(await writeAndKill(durability, `round ${round} of ${count}`, count)));
        await checkAfterKill(acknowledged, heads);
      }
    });
  }
});

describe('LmdbEventLog opened for reading', () => {
  it('sees what another process appends, refuses to append, and goes on when the writer is killed', async () => {
    const first = await LmdbEventLog.open({ path });
    await first.append(new Uint8Array(1));
    const { epoch } = await first.state();
    await first.close();
    const { writer, errors } = startWriter('os', 'writer');
    await once(writer.stdout, 'data').catch(() => expect.fail(errors()));
    const reader = await LmdbEventLog.open({ path, readOnly: true, pollMs: 5 });
    try {
      const tail = new TailRecorder();
      await reader.tail(0, tail);
      await tail.until(() => tail.indexes.length > 200 && tail.statuses.includes('up'));
      await expect(LmdbEventLog.open({ path })).rejects.toMatchObject({
        message: expect.stringContaining(`${writer.pid}`),
      });
      await kill(writer);
      const { head, ...state } = await reader.state();
      await tail.until(() => tail.indexes.length === head);
      expect(state).toEqual({ epoch, first: 1 });
      expect(tail.indexes).toEqual(Array.from({ length: head }, (_, i) => i + 1));
      await expect(reader.append(new Uint8Array(1))).rejects.toMatchObject({ code: 'not_supported' });
      await expect(reader.trim({ maxRecords: 0 })).rejects.toMatchObject({ code: 'not_supported' });
    } finally {
      await reader.close();
      await kill(writer);
    }
  });

  it('says that its folder was deleted, and tells of the log that was made anew in it', async () => {
    const first = startWriter('os', 'first');
    await once(first.writer.stdout, 'data').catch(() => expect.fail(first.errors()));
    const reader = await LmdbEventLog.open({ path, readOnly: true, pollMs: 5 });
    let second: ReturnType<typeof startWriter> | undefined;
    try {
      const tail = new TailRecorder();
      await reader.tail(0, tail);
      await tail.until(() => tail.indexes.length > 50);
      const { epoch } = await reader.state();
      await kill(first.writer);
      await rm(path, { recursive: true });
      await tail.until(() => tail.statuses.at(-1) === 'down');
      await expect(reader.state()).rejects.toMatchObject({
        code: 'log_unavailable',
        message: expect.stringContaining('deleted'),
      });
      second = startWriter('os', 'second');
      await tail.until(() => tail.calls.some(({ type }) => type === 'reset'));
      const reset = tail.calls.find((call) => call.type === 'reset');
      expect(reset?.state.epoch).toBe((await reader.state()).epoch);
      expect(reset?.state.epoch).not.toBe(epoch);
      const told = tail.recorded.length;
      await tail.until(() => tail.recorded.length > told + 50);
      expect(new TextDecoder().decode(tail.recorded.at(-1)?.body)).toContain('second');
    } finally {
      await reader.close();
      await kill(first.writer);
      if (second) await kill(second.writer);
    }
  });
});

describe.skipIf(process.platform === 'win32')('LmdbEventLog on a full disk', () => {
  it.each(['disk', 'os'])(
    'fails the appends, lives on, and has all that it acknowledged: durability %s',
    async (durability) => {
      const node = `${process.execPath} --import ./tests/tooling/typescript.mjs tests/logs/lmdb-full-disk.ts`;
      // 2 MiB per file; the signal that the limit sends is ignored, so that the write itself fails.
      const limited = `trap '' XFSZ; ulimit -f 2048; exec ${node} "$0" "$1"`;
      const { stdout } = await promisify(execFile)('bash', ['-c', limited, path, durability], { cwd: root });
      const { acknowledged, head, failures } = JSON.parse(stdout);
      expect(failures).toEqual(['log_unavailable']);
      expect(acknowledged).toBeGreaterThan(0);
      expect(head).toBe(acknowledged);
      const log = await LmdbEventLog.open({ path });
      expect(await log.state()).toMatchObject({ first: 1, head });
      expect(await log.append(new Uint8Array(8000))).toEqual({ index: head + 1, duplicate: false });
      expect((await readTexts(log)).size).toBe(head + 1);
      await log.close();
    },
  );
});

describe('LmdbEventLog without its peer', () => {
  it('says which package to install', async () => {
    const script = `
      const { LmdbEventLog } = await import(${JSON.stringify(new URL('../../src/logs/lmdb/index.ts', import.meta.url).href)});
      await LmdbEventLog.open({ path: process.argv[1] }).catch((error) => console.log(error.code, error.message));
    `;
    const args = ['--import', './tests/tooling/typescript.mjs', '--input-type=module', '-e', script, path];
    const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, WITHOUT_PACKAGE: 'lmdb' } });
    let told = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (told += String(data)));
    await once(child, 'close');
    expect(told).toMatch(/^not_supported .*npm install lmdb/);
  });
});
