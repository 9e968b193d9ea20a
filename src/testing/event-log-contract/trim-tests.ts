import assert from 'node:assert/strict';

import { BrokerError } from '../../model/errors.ts';
import type { EventLog, LogRecord } from '../../core/log/event-log.ts';
import { bodyOf, checkNothingMissing, indexesOf, readAll, rejectsWith } from './subject.ts';
import type { Law } from './subject.ts';

/** Oldest record left in these tests. */
const FIRST = 6;

export function trimTests<Storage>(law: Law<Storage>): void {
  law('trimming moves first and leaves the head', async (subject) => {
    await subject.append(10);
    await subject.trimTo(FIRST);
    const { first, head } = await subject.log.state();
    assert.deepEqual({ first, head }, { first: FIRST, head: 10 });
  });

  law('a read from trimmed − 1 and from trimmed is a gap, one from trimmed + 1 is whole', async (subject) => {
    await subject.append(10);
    await subject.trimTo(FIRST);
    const trimmed = FIRST - 1;
    await rejectsWith('gap', () => readAll(subject.log, trimmed - 1, 10));
    await rejectsWith('gap', () => readAll(subject.log, trimmed, 10));
    assert.deepEqual(indexesOf(await readAll(subject.log, trimmed + 1, 10)), [6, 7, 8, 9, 10]);
  });

  for (const [place, first] of [
    ['trimmed − 1', 4],
    ['trimmed', 3],
    ['trimmed + 1', 2],
  ] as const) {
    law(
      `a read that stands at ${place} when the log is trimmed ends with a gap or goes on, without a hole`,
      async (subject) => {
        for (let i = 0; i < 40; i++) await subject.log.append(new Uint8Array(1000));
        const { seen, error } = await readWhile(subject.log, 40, () => subject.trimTo(first));
        assert.deepEqual(
          seen,
          seen.map((_, i) => i + 1),
          'without a hole',
        );
        if (error === undefined) assert.equal(seen.length, 40);
        else assert.ok(BrokerError.is(error) && error.code === 'gap', 'the read ends with a gap');
        if (place === 'trimmed + 1') assert.equal(seen.length, 40, 'the next record was still there');
      },
    );
  }

  law('a read of which everything left is trimmed ends with a gap', async (subject) => {
    for (let i = 0; i < 40; i++) await subject.log.append(new Uint8Array(1000));
    const { seen, error } = await readWhile(subject.log, 40, () => subject.trimTo(41));
    if (seen.length < 40) assert.ok(BrokerError.is(error) && error.code === 'gap', 'the read ends with a gap');
    assert.deepEqual(
      seen,
      seen.map((_, i) => i + 1),
    );
  });

  law('a tail from trimmed − 1 is told the gap, one from trimmed is told none', async (subject) => {
    await subject.append(10);
    await subject.trimTo(FIRST);
    const before = await subject.tail(FIRST - 2);
    const at = await subject.tail(FIRST - 1);
    await Promise.all([before, at].map((tail) => tail.until(() => tail.indexes.length >= 5)));
    assert.deepEqual(gapsOf(before.calls), [{ after: FIRST - 2, first: FIRST }]);
    assert.deepEqual(gapsOf(at.calls), []);
    assert.deepEqual(
      [before.indexes, at.indexes],
      [
        [6, 7, 8, 9, 10],
        [6, 7, 8, 9, 10],
      ],
    );
  });

  law(
    'a tail under which the log is trimmed tells the gap or the records, and never leaves a hole',
    async (subject) => {
      const tail = await subject.tail(0);
      tail.pause();
      await subject.append(1);
      await tail.until(() => tail.indexes.length >= 1);
      await subject.append(19);
      await subject.trimTo(15);
      tail.resume();
      await tail.until(() => tail.indexes.at(-1) === 20);
      checkNothingMissing(tail, 0);
    },
  );

  law('the head outlives the trimming of everything, and indexes go on', async (subject) => {
    await subject.append(5);
    await subject.trimTo(6);
    const { first, head } = await subject.log.state();
    assert.deepEqual({ first, head }, { first: 6, head: 5 });
    await rejectsWith('gap', () => readAll(subject.log, 5, 5));
    assert.deepEqual(await readAll(subject.log, 6, 10), []);
    const log = await subject.reopen();
    assert.deepEqual(pick(await log.state()), { first: 6, head: 5 });
    assert.equal((await log.append(bodyOf('next'))).index, 6);
    assert.deepEqual(indexesOf(await readAll(log, 6, 6)), [6]);
  });
}

/** Reads one record at a time and does something after the first. */
async function readWhile(
  log: EventLog,
  to: number,
  afterFirst: () => Promise<void>,
): Promise<{ seen: number[]; error: unknown }> {
  const seen: LogRecord[] = [];
  try {
    for await (const chunk of log.read(1, to, { maxBytes: 1 })) {
      if (seen.push(...chunk) === chunk.length) await afterFirst();
    }
    return { seen: indexesOf(seen), error: undefined };
  } catch (error) {
    return { seen: indexesOf(seen), error };
  }
}

const gapsOf = (calls: readonly { readonly type: string }[]) =>
  calls.flatMap((call) => (isGap(call) ? [{ after: call.after, first: call.first }] : []));

function isGap(call: { readonly type: string }): call is { type: 'gap'; after: number; first: number } {
  return call.type === 'gap';
}

const pick = ({ first, head }: { readonly first: number; readonly head: number }) => ({ first, head });
