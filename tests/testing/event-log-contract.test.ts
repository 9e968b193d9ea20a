import { describe, expect, it } from 'vitest';

import { BrokerError } from '../../src/model/errors.ts';
import type { AppendOptions, EventLog, LogRecord, PinnedRecord, TailHandler } from '../../src/core/log/event-log.ts';
import { MemoryEventLog } from '../../src/logs/memory.ts';
import { describeEventLog } from '../../src/testing/index.ts';
import { logAround } from '../logs/log-around.ts';

/** What the laws say that a log breaks; a law that waits for what never comes has broken after `deadlineMs`. */
async function complaintsOf(
  breakIt: (log: MemoryEventLog) => EventLog,
  deadlineMs: number,
): Promise<Map<string, string>> {
  const laws: [string, () => Promise<void>][] = [];
  const harness = {
    prepare: async () => new MemoryEventLog({ maxRecordBytes: 100_000 }),
    open: async (root: MemoryEventLog) => breakIt(root.share()),
    dispose: (root: MemoryEventLog) => root.close(),
    deadlineMs,
  };
  describeEventLog('a log', harness, { describe: (_, body) => body(), it: (name, body) => laws.push([name, body]) });
  const complaints = new Map<string, string>();
  await Promise.all(
    laws.map(([name, body]) => body().catch((error: unknown) => void complaints.set(name, String(error)))),
  );
  return complaints;
}

/** The names of the laws that a log breaks. */
const brokenBy = async (...log: Parameters<typeof complaintsOf>) => [...(await complaintsOf(...log)).keys()];

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

/** All records of `pinned`, changed, in one chunk. */
const pinning = (log: MemoryEventLog, change: (records: PinnedRecord[]) => PinnedRecord[]) =>
  logAround(log, {
    async *pinned() {
      const records: PinnedRecord[] = [];
      for await (const chunk of log.pinned()) records.push(...chunk);
      yield change(records);
    },
  });

const withoutPins = (log: MemoryEventLog): EventLog => {
  const { pinned: _, ...rest } = logAround(log, { capabilities: { ...log.capabilities, pins: false } });
  return rest;
};

describe('describeEventLog', () => {
  it('finds nothing wrong with a log that keeps the contract', async () => {
    expect(await brokenBy((log) => logAround(log, {}), 10_000)).toEqual([]);
  });

  it('finds nothing wrong with a log that has no pins and refuses them', async () => {
    const refuse = (log: MemoryEventLog): EventLog => {
      const bare = withoutPins(log);
      return logAround(bare, {
        append: async (body, options = {}) => {
          if (options.pins || options.unpins) throw new BrokerError('not_supported', 'no pins');
          return bare.append(body, options);
        },
      });
    };
    expect(await brokenBy(refuse, 10_000)).toEqual([]);
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
    [
      'goes on with a handler that throws',
      /handler that throws/,
      (log) => tailing(log, (handler) => ({ records: async (batch) => await quietly(handler.records(batch)) })),
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
    ['says that it has no pins, and does not refuse them', /honoured, or refused/, withoutPins],
    [
      'ignores pins',
      /outlives trimming/,
      (log) => logAround(log, { append: (body, options) => log.append(body, without(options, 'pins')) }),
    ],
    [
      'ignores unpins',
      /unpinned record is gone/,
      (log) => logAround(log, { append: (body, options) => log.append(body, without(options, 'unpins')) }),
    ],
    ['tells pinned records in the wrong order', /in order/, (log) => pinning(log, (records) => records.reverse())],
    ['tells one pinned record only', /naive model/, (log) => pinning(log, (records) => records.slice(-1))],
    ['hands over pinned records all at once', /chunks of about maxBytes/, (log) => pinning(log, (records) => records)],
  ])('finds a log that %s', async (_, law, breakIt) => {
    expect(await brokenBy(breakIt, 300)).toContainEqual(expect.stringMatching(law));
  });

  // Node's assert works out a difference of 100,000 lines for half a minute.
  it('complains of a log that gives nothing back in a few words, whatever the size of what is missing', async () => {
    const complaints = await complaintsOf((log) => logAround(log, { read: () => log.read(1, 0) }), 300);
    expect(complaints.get('body, kind and index come back as they were, and a time with them')).toMatch(/SHA-256/);
    for (const complaint of complaints.values()) expect(complaint.length).toBeLessThan(10_000);
  });
});

const quietly = (call: void | Promise<void>): Promise<void> => Promise.resolve(call).catch(() => undefined);

function without(options: AppendOptions | undefined, name: keyof AppendOptions): AppendOptions {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([key]) => key !== name));
}
