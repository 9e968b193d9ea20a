import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { EventLog, LogRecord } from '../../src/core/log/event-log.ts';
import { JetStreamEventLog } from '../../src/logs/jetstream/index.ts';
import type { JetStreamEventLogOptions } from '../../src/logs/jetstream/index.ts';
import { TailRecorder } from '../../src/testing/index.ts';
import { describeWithNats, hasNatsServer, NatsServer } from '../servers/nats-server.ts';

const body = new Uint8Array(10);
const text = (record: LogRecord) => new TextDecoder().decode(record.body);

async function readAll(log: EventLog, from = 1, to = Number.MAX_SAFE_INTEGER): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const chunk of log.read(from, to)) records.push(...chunk);
  return records;
}

describeWithNats('JetStreamEventLog', () => {
  let server: NatsServer;
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let streams = 0;
  let stream = '';

  beforeAll(async () => {
    server = await NatsServer.start();
    connection = await server.connect();
    manager = await jetstreamManager(connection);
  });
  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  /** Runs a test with a log on a stream of its own. */
  async function withLog(
    test: (log: JetStreamEventLog) => Promise<void>,
    options: Partial<JetStreamEventLogOptions> = {},
  ): Promise<void> {
    stream = `events-${(streams += 1)}`;
    const log = await JetStreamEventLog.open({ connection, stream, ...options });
    try {
      await test(log);
    } finally {
      await log.close();
      await manager.streams.delete(stream);
    }
  }

  /**
   * Runs a test with two logs on one stream: `hasty` gives up early, so that outages are short; `log` waits as long as
   * a busy machine takes.
   */
  const withHastyLog = (
    options: Partial<JetStreamEventLogOptions>,
    test: (hasty: JetStreamEventLog, log: JetStreamEventLog) => Promise<void>,
  ): Promise<void> =>
    withLog(async (log) => {
      const hasty = await JetStreamEventLog.open({ connection, stream, ...options });
      await test(hasty, log).finally(() => hasty.close());
    });

  describe('while its server is killed', () => {
    it('six kills under load lose nothing, double nothing, and leave the order as it was acknowledged', () =>
      withLog(async (log) => {
        const reader = await server.connect();
        const other = await JetStreamEventLog.open({ connection: reader, stream });
        const tail = new TailRecorder();
        await other.tail(0, tail);
        const acknowledged = new Map<number, string>();
        const end = new AbortController();
        const write = async (writer: number) => {
          for (let i = 0; !end.signal.aborted; i++) {
            const { index } = await log.append(new TextEncoder().encode(`${writer}/${i}`));
            expect(acknowledged.has(index), 'an index is given once').toBe(false);
            acknowledged.set(index, `${writer}/${i}`);
          }
        };
        const writers = Promise.all([write(1), write(2), write(3), write(4)]);
        for (let kill = 0; kill < 6; kill++) {
          const before = acknowledged.size;
          await tail.until(() => acknowledged.size > before + 20 && tail.indexes.length > before + 20);
          await server.restart();
        }
        end.abort();
        await writers;
        const { head } = await log.state();
        await tail.until(() => tail.indexes.length >= head);
        expect(tail.indexes, 'each once, in order, without a hole').toEqual(
          Array.from({ length: head }, (_, i) => i + 1),
        );
        expect(new Map(tail.recorded.map((record) => [record.index, text(record)]))).toEqual(acknowledged);
        expect(tail.overlaps).toBe(0);
        expect(tail.calls.filter(({ type }) => type === 'gap' || type === 'reset')).toEqual([]);
        await other.close();
        await reader.close();
      }));

    it('an append that began before an outage is made once it is over', () =>
      withLog(async (log) => {
        await server.kill();
        const appended = log.append(body);
        await server.run();
        expect(await appended).toEqual({ index: 1, duplicate: false });
        expect(await readAll(log)).toHaveLength(1);
      }));

    it('a read goes on where the server left off', () =>
      withLog(async (log) => {
        for (let i = 0; i < 20; i++) await log.append(new Uint8Array(200_000));
        const seen: number[] = [];
        for await (const chunk of log.read(1, 20, { maxBytes: 1 })) {
          seen.push(...chunk.map(({ index }) => index));
          if (seen.length === 3) await server.restart();
        }
        expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
      }));

    it('an append fails when the outage is too long and says that nothing is known; with its id it is repeated safely', () =>
      withHastyLog({ appendTimeoutMs: 300, publishTimeoutMs: 100 }, async (hasty, log) => {
        await server.freeze();
        const error: unknown = await hasty.append(body, { id: 'one' }).catch((thrown: unknown) => thrown);
        server.thaw();
        expect(error).toMatchObject({ code: 'log_unavailable', message: expect.stringContaining('not known') });
        expect((await log.append(body, { id: 'one' })).index).toBe(1);
        expect(await readAll(log)).toHaveLength(1);
      }));

    it('a server that answers nothing is told as down, its return as up, and what was sent meanwhile again and again is one record', () =>
      withHastyLog({ publishTimeoutMs: 50, requestTimeoutMs: 200 }, async (hasty, log) => {
        const tail = new TailRecorder();
        await hasty.tail(0, tail);
        await tail.until(() => tail.statuses.at(-1) === 'up');
        await server.freeze();
        const appended = hasty.append(body);
        await tail.until(() => tail.statuses.at(-1) === 'down').finally(() => server.thaw());
        await tail.until(() => tail.statuses.at(-1) === 'up' && tail.indexes.length > 0);
        expect(tail.calls.find((call) => call.type === 'status' && call.status === 'down')).toMatchObject({
          cause: { code: 'log_unavailable' },
        });
        expect(await appended).toEqual({ index: 1, duplicate: false });
        expect(await log.state()).toMatchObject({ head: 1 });
      }));
  });

  describe('whose server came back without its last records', () => {
    /** Appends record 1, and then records that the server forgets. */
    async function forget(log: JetStreamEventLog, appendForgotten: () => Promise<unknown>): Promise<void> {
      await log.append(body);
      await server.kill();
      const copy = await server.backUp();
      await server.run();
      await appendForgotten();
      await server.kill();
      await server.restore(copy);
      await server.run();
    }

    it('a tail tells a reset and goes on from the head', () =>
      withLog(async (log) => {
        const tail = new TailRecorder();
        await log.tail(0, tail);
        await forget(log, async () => {
          for (let i = 0; i < 3; i++) await log.append(body);
          await tail.until(() => tail.indexes.length === 4);
        });
        await tail.until(() => tail.calls.some(({ type }) => type === 'reset'));
        expect(tail.calls.find(({ type }) => type === 'reset')).toMatchObject({ state: { head: 1 } });
        await log.append(body);
        await tail.until(() => tail.indexes.length === 5);
        expect(tail.indexes).toEqual([1, 2, 3, 4, 2]);
      }));

    it('a tail tells a reset also when the indexes were given again before it looked', () =>
      withLog(async (log) => {
        const tail = new TailRecorder();
        await log.tail(0, tail);
        await forget(log, async () => {
          await tail.until(() => tail.indexes.length === 1);
          tail.pause();
          await log.append(body);
          await tail.until(() => tail.indexes.length === 2);
        });
        for (let i = 0; i < 3; i++) await log.append(body);
        tail.resume();
        await tail.until(() => tail.calls.some(({ type }) => type === 'reset'));
        expect(tail.calls.find(({ type }) => type === 'reset')).toMatchObject({ state: { head: 0 } });
        await tail.until(() => tail.indexes.length === 6);
        expect(tail.indexes, 'what took the place of what was lost is told too').toEqual([1, 2, 1, 2, 3, 4]);
      }));
  });

  describe('of which the stream is trimmed', () => {
    const create = { retention: { maxRecords: 10 } };

    it('a slow tail is told each gap, and gets every record that is outside of one', () =>
      withLog(
        async (log) => {
          const tail = new TailRecorder();
          await log.tail(0, tail);
          for (let round = 0; round < 5; round++) {
            tail.pause();
            for (let i = 0; i < 40; i++) await log.append(new Uint8Array(100_000));
            tail.resume();
          }
          await tail.until(() => tail.indexes.at(-1) === 200);
          let position = 0;
          for (const call of tail.calls) {
            if (call.type === 'gap') {
              expect(call.after).toBe(position);
              expect(call.first).toBeGreaterThan(position + 1);
              position = call.first - 1;
            } else if (call.type === 'records') {
              for (const { index } of call.batch) expect(index).toBe((position += 1));
            }
          }
          expect(tail.calls.some(({ type }) => type === 'gap')).toBe(true);
        },
        { create },
      ));

    it('a read that is overtaken by trimming ends with a gap and leaves no hole before it', () =>
      withLog(
        async (log) => {
          for (let i = 0; i < 10; i++) await log.append(new Uint8Array(600_000));
          const seen: number[] = [];
          const read = async () => {
            for await (const chunk of log.read(1, 10, { maxBytes: 1 })) {
              seen.push(...chunk.map(({ index }) => index));
              if (seen.length === 1) for (let i = 0; i < 8; i++) await log.append(body);
            }
          };
          await expect(read()).rejects.toMatchObject({ code: 'gap' });
          expect(seen).toEqual(seen.map((_, i) => i + 1));
          expect(seen.length).toBeLessThan(9);
        },
        { create },
      ));
  });

  describe('whose stream is deleted', () => {
    it('state and append say so, a tail is down, and a stream that is made anew is a reset to another epoch', () =>
      withHastyLog({ appendTimeoutMs: 600, publishTimeoutMs: 400 }, async (hasty, log) => {
        const tail = new TailRecorder();
        await log.tail(0, tail);
        await log.append(body);
        await tail.until(() => tail.indexes.length === 1);
        const { epoch } = await log.state();
        const { config } = await manager.streams.info(stream);
        await manager.streams.delete(stream);
        await expect(log.state()).rejects.toMatchObject({
          code: 'log_unavailable',
          message: expect.stringContaining('does not exist'),
        });
        await expect(hasty.append(body)).rejects.toMatchObject({
          code: 'log_unavailable',
          message: expect.stringContaining('nothing was stored'),
        });
        await tail.until(() => tail.statuses.at(-1) === 'down');
        await manager.streams.add(config);
        await tail.until(() => tail.statuses.at(-1) === 'up');
        const reset = tail.calls.find((call) => call.type === 'reset');
        expect(reset).toEqual({ type: 'reset', state: await log.state() });
        expect((await log.state()).epoch).not.toBe(epoch);
        await log.append(body);
        await tail.until(() => tail.indexes.length === 2);
        expect(tail.indexes).toEqual([1, 1]);
      }));
  });

  describe('and its stream', () => {
    it('the epoch stays over a restart of the server', () =>
      withLog(async (log) => {
        await log.append(body);
        const before = await log.state();
        await server.restart();
        await log.append(body);
        expect(await log.state()).toEqual({ ...before, head: 2 });
      }));

    it('ids stay different whatever characters they have', () =>
      withLog(async (log) => {
        for (const id of ['a', ' a', 'a ', 'a\r\nb', 'a%0D%0Ab', 'ä', '\u{1f600}', 'x'.repeat(512)]) {
          expect((await log.append(body, { id })).duplicate, JSON.stringify(id)).toBe(false);
          expect((await log.append(body, { id })).duplicate, JSON.stringify(id)).toBe(true);
        }
        expect(await log.state()).toMatchObject({ head: 8 });
      }));

    it('the longest id goes with the largest body', () =>
      withLog(async (log) => {
        const largest = new Uint8Array(log.capabilities.maxRecordBytes);
        await log.append(largest, { id: '€'.repeat(170), expectedHead: 0, kind: 'acl' });
        expect(await readAll(log)).toMatchObject([{ kind: 'acl' }]);
      }));

    it('what it can do is what the stream can do', () =>
      withLog(async (log) => {
        expect(log.capabilities).toMatchObject({
          durability: 'os',
          dense: true,
          dedupeWindowMs: 120_000,
          shared: true,
        });
        await manager.streams.add({
          name: `${stream}-own`,
          subjects: [`${stream}-own.>`],
          storage: 'memory',
          max_msg_size: 9000,
        });
        const own = await JetStreamEventLog.open({ connection, stream: `${stream}-own`, subject: `${stream}-own.x` });
        expect(own.capabilities).toMatchObject({ durability: 'none', dense: false });
        const { maxRecordBytes } = own.capabilities;
        expect(maxRecordBytes).toBeLessThan(9000);
        const refusal = { code: 'bad_request', message: expect.stringContaining(`${maxRecordBytes}`) };
        await expect(own.append(new Uint8Array(9000))).rejects.toMatchObject(refusal);
        await manager.streams.delete(`${stream}-own`);
      }));

    it('a hole that was deleted by hand is no gap of a read in a stream that allows it', () =>
      withLog(async () => {
        const name = `${stream}-holes`;
        await manager.streams.add({ name, subjects: [name, `${name}.acl`] });
        const log = await JetStreamEventLog.open({ connection, stream: name });
        for (let i = 0; i < 6; i++) await log.append(body);
        await manager.streams.deleteMessage(name, 3);
        const indexes = async (from: number, to: number) => (await readAll(log, from, to)).map(({ index }) => index);
        expect(await indexes(1, 6)).toEqual([1, 2, 4, 5, 6]);
        expect(await indexes(1, 3)).toEqual([1, 2]);
        expect(await indexes(3, 3)).toEqual([]);
        for (const last of [6, 5]) await manager.streams.deleteMessage(name, last);
        expect(await indexes(1, 6)).toEqual([1, 2, 4]);
        expect(await indexes(5, 5)).toEqual([]);
        await log.close();
        await manager.streams.delete(name);
      }));

    it.each([
      ['whose records vanish when they are read', { retention: 'workqueue' as const }, /"limits"/],
      ['that forgets ids too soon', { duplicate_window: 5e9 }, /5000 ms/],
      ['that does not take the subject of ACL changes', { subjects: ['refused'] }, /refused\.acl/],
    ])('a stream %s is refused', async (_, config, message) => {
      await manager.streams.add({ name: 'refused', subjects: ['refused', 'refused.acl'], ...config });
      const opening = JetStreamEventLog.open({ connection, stream: 'refused' });
      await expect(opening).rejects.toMatchObject({ code: 'bad_request', message: expect.stringMatching(message) });
      await manager.streams.delete('refused');
    });

    it('a new one has the retention that was asked for, and cannot be emptied by hand', () =>
      withLog(
        async () => {
          const { config } = await manager.streams.info(stream);
          expect(config).toMatchObject({ max_msgs: 7, max_bytes: 1e6, max_age: 60e9, duplicate_window: 60e9 });
          await expect(manager.streams.purge(stream)).rejects.toThrow('purge');
          await expect(manager.streams.deleteMessage(stream, 1)).rejects.toThrow('delete');
        },
        { create: { retention: { maxRecords: 7, maxBytes: 1e6, maxAgeMs: 60_000 } } },
      ));

    it('the connection stays open when the log is closed', () =>
      withLog(async (log) => {
        await log.close();
        expect(connection.isClosed()).toBe(false);
        await manager.streams.info(stream);
      }));

    it('a connection that was closed fails an append at once and a tail says down', () =>
      withLog(async () => {
        const own = await server.connect();
        const log = await JetStreamEventLog.open({ connection: own, stream });
        const tail = new TailRecorder();
        await log.tail(0, tail);
        await tail.until(() => tail.statuses.at(-1) === 'up');
        await own.close();
        await expect(log.append(body)).rejects.toMatchObject({ code: 'log_unavailable' });
        await tail.until(() => tail.statuses.at(-1) === 'down');
        await log.close();
      }));
  });

  it.each([
    ['a stream with a dot', { stream: 'a.b' }],
    ['a subject with a wildcard', { subject: 'a.>' }],
    ['a bound that would mean none', { create: { retention: { maxRecords: 0 } } }],
    ['too many replicas', { create: { replicas: 6 } }],
    ['a timeout that is no number', { appendTimeoutMs: Number.NaN }],
  ])('%s is a programming mistake', async (_, options) => {
    await expect(JetStreamEventLog.open({ connection, stream: 'events', ...options })).rejects.toThrow(TypeError);
  });
});

it.runIf(process.env['CI'] === 'true')('the server for these tests is there with CI=true', () => {
  expect(hasNatsServer, 'install nats-server, or name its binary in NATS_SERVER').toBe(true);
});

describe('JetStreamEventLog without its peer', () => {
  it('says which package to install', async () => {
    const script = `
      const { JetStreamEventLog } = await import(${JSON.stringify(new URL('../../src/logs/jetstream/index.ts', import.meta.url).href)});
      const connection = { subscribe() {} };
      await JetStreamEventLog.open({ connection, stream: 'events' }).catch((error) => console.log(error.code, error.message));
    `;
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const args = ['--import', './tests/tooling/typescript.mjs', '--input-type=module', '-e', script];
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, WITHOUT_PACKAGE: '@nats-io/jetstream' },
    });
    let told = '';
    for (const output of [child.stdout, child.stderr]) output.on('data', (data) => (told += String(data)));
    await once(child, 'close');
    expect(told).toMatch(/^not_supported .*npm install @nats-io\/jetstream/);
  });
});
