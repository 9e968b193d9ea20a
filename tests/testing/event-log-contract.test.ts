import { describe, expect, it } from 'vitest';

import type { AppendOptions, EventLog, LogRecord, TailHandler } from '../../src/core/log/event-log.ts';
import { MemoryEventLog } from '../../src/logs/memory.ts';
import { describeEventLog } from '../../src/testing/index.ts';
import { logAround } from '../logs/log-around.ts';

/** The names of the laws that a log breaks; a law that waits for what never comes has broken after `deadlineMs`. */
async function brokenBy(breakIt: (log: MemoryEventLog) => EventLog, deadlineMs: number): Promise<string[]> {
  const laws: [string, () => Promise<void>][] = [];
  const harness = {
    prepare: async () => new MemoryEventLog({ maxRecordBytes: 100_000 }),
    open: async (root: MemoryEventLog) => breakIt(root.share()),
    dispose: (root: MemoryEventLog) => root.close(),
    deadlineMs,
  };
  describeEventLog('a log', harness, { describe: (_, body) => body(), it: (name, body) => laws.push([name, body]) });
  const outcomes = await Promise.all(
    laws.map(async ([name, body]) =>
      body().then(
        () => '',
        () => name,
      ),
    ),
  );
  return outcomes.filter((name) => name !== '');
}

const tailing = (log: MemoryEventLog, change: (handler: TailHandler) => Partial<TailHandler>) =>
  logAround(log, {
    tail: (after, handler) =>
      log.tail(after, {
        records: (batch) => handler.records(batch),
        gap: (gap) => handler.gap(gap),
        reset: (state) => handler.reset(state),
        status: (status, cause) => handler.status(status, cause),
        ...change(handler),
      }),
  });

async function* readFromFirst(log: MemoryEventLog, from: number, to: number): AsyncGenerator<readonly LogRecord[]> {
  const { first } = await log.state();
  yield* log.read(Math.max(from, first), to);
}

describe('describeEventLog', () => {
  it('finds nothing wrong with a log that keeps the contract', async () => {
    expect(await brokenBy((log) => logAround(log, {}), 10_000)).toEqual([]);
  });

  it.each<[string, RegExp, (log: MemoryEventLog) => EventLog]>([
    [
      'moves up silently to the oldest record',
      /from trimmed − 1 and from trimmed is a gap/,
      (log) => logAround(log, { read: (from, to) => readFromFirst(log, from, to) }),
    ],
    [
      'ignores ids',
      /one id make one record/,
      (log) => logAround(log, { append: (body, options) => log.append(body, without(options, 'id')) }),
    ],
    [
      'ignores the expected head',
      /expected head/,
      (log) => logAround(log, { append: (body, options) => log.append(body, without(options, 'expectedHead')) }),
    ],
    [
      'loses the kind',
      /body, kind and index/,
      (log) => logAround(log, { append: (body, options) => log.append(body, without(options, 'kind')) }),
    ],
    ['tells no gap', /told the gap/, (log) => tailing(log, () => ({ gap: () => undefined }))],
    [
      'ignores backpressure',
      /holds back every further call/,
      (log) => tailing(log, (handler) => ({ records: (batch) => void handler.records(batch) })),
    ],
    [
      'loses each third record of a tail',
      /tail from 0/,
      (log) =>
        tailing(log, (handler) => ({ records: (batch) => handler.records(batch.filter(({ index }) => index % 3)) })),
    ],
    ['says nothing of its status', /says up/, (log) => tailing(log, () => ({ status: () => undefined }))],
    ['goes on after it was closed', /refuses every call/, (log) => logAround(log, { close: () => Promise.resolve() })],
    [
      'does not end a tail',
      /was stopped/,
      (log) =>
        logAround(log, {
          tail: async (after, handler) => (await log.tail(after, handler), { stop: async () => undefined }),
        }),
    ],
    [
      'forgets its head',
      /outlives the trimming/,
      (log) => logAround(log, { state: async () => ({ ...(await log.state()), head: 0 }) }),
    ],
  ])('finds a log that %s', async (_, law, breakIt) => {
    expect(await brokenBy(breakIt, 300)).toContainEqual(expect.stringMatching(law));
  });
});

function without(options: AppendOptions | undefined, name: keyof AppendOptions): AppendOptions {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([key]) => key !== name));
}
