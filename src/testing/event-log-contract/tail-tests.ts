import assert from 'node:assert/strict';

import type { LogRecord } from '../../core/log/event-log.ts';
import { bodyOf, checkNothingMissing, holds, indexesOf, quietTurns, readAll } from './subject.ts';
import type { Law } from './subject.ts';

export function tailTests<Storage>(law: Law<Storage>): void {
  law('a tail from 0 tells every record, those from before it and those from after', async (subject) => {
    const before = await subject.append(5);
    const tail = await subject.tail(0);
    const after = await subject.append(5);
    await tail.until(() => tail.indexes.length >= 10);
    assert.deepEqual(tail.indexes, [...before, ...after]);
  });

  law('a tail from the middle tells what comes after its position', async (subject) => {
    const indexes = await subject.append(6);
    const tail = await subject.tail(indexes[2] ?? 0);
    await tail.until(() => tail.indexes.length >= 3);
    assert.deepEqual(tail.indexes, indexes.slice(3));
  });

  law('a tail from the head waits for the next record', async (subject) => {
    const indexes = await subject.append(3);
    const tail = await subject.tail(indexes[2] ?? 0);
    await quietTurns();
    assert.deepEqual(tail.indexes, []);
    const [next] = await subject.append(1);
    await tail.until(() => tail.indexes.length >= 1);
    assert.deepEqual(tail.indexes, [next]);
  });

  law('a tail from beyond the head is clamped to it and waits for the next record', async (subject) => {
    const indexes = await subject.append(3);
    const tail = await subject.tail((indexes[2] ?? 0) + 1000);
    await quietTurns();
    assert.deepEqual(tail.indexes, []);
    const [next] = await subject.append(1);
    await tail.until(() => tail.indexes.length >= 1);
    assert.deepEqual(tail.indexes, [next]);
  });

  law('a tail says up once it is in step with the head', async (subject) => {
    const tail = await subject.tail(0);
    await tail.until(() => tail.statuses.at(-1) === 'up');
    await subject.append(3);
    const behind = await subject.tail(0);
    await behind.until(() => behind.indexes.length === 3 && behind.statuses.at(-1) === 'up');
  });

  law('a tail tells the same records, in the same order, as a read', async (subject) => {
    const tail = await subject.tail(0);
    const kinds = ['events', 'acl'] as const;
    await Promise.all(
      Array.from({ length: 64 }, (_, i) => subject.log.append(bodyOf(`${i}`), { kind: kinds[i % 2] ?? 'acl' })),
    );
    await tail.until(() => tail.indexes.length >= 64);
    assert.deepEqual(plain(tail.recorded), plain(await readAll(subject.log, 1, (await subject.log.state()).head)));
  });

  law(
    'a read up to a head and a tail from it have no hole and no repeat, while four writers append',
    async (subject) => {
      const write = async () => void (await subject.append(40));
      const writers = Promise.all([write(), write(), write(), write()]);
      await subject.append(5);
      const { head } = await subject.log.state();
      const tail = await subject.tail(head);
      const read = await readAll(subject.log, 1, head);
      await writers;
      await tail.until(() => read.length + tail.indexes.length >= 165);
      const all = await readAll(subject.log, 1, (await subject.log.state()).head);
      assert.deepEqual([...indexesOf(read), ...tail.indexes], indexesOf(all));
    },
  );

  law('a promise from the handler holds back every further call, and then nothing is missing', async (subject) => {
    const tail = await subject.tail(0);
    tail.pause();
    const indexes = await subject.append(1);
    await tail.until(() => tail.indexes.length >= 1);
    const callsWhenPaused = tail.calls.length;
    indexes.push(...(await subject.append(20)));
    await quietTurns();
    assert.equal(tail.calls.length, callsWhenPaused);
    tail.resume();
    await tail.until(() => tail.indexes.length >= 21);
    assert.deepEqual(tail.indexes, indexes);
    assert.equal(tail.overlaps, 0);
  });

  law('a tail that was stopped is told nothing any more, and stops twice', async (subject) => {
    const recorder = subject.recorder();
    const tail = await subject.log.tail(0, recorder);
    await subject.append(2);
    await recorder.until(() => recorder.indexes.length >= 2);
    await tail.stop();
    const calls = recorder.calls.length;
    await subject.append(5);
    await quietTurns();
    assert.equal(recorder.calls.length, calls);
    await tail.stop();
  });

  law('a handler that throws ends its own tail, which says so once; the log and other tails go on', async (subject) => {
    const thrown = new Error('a bug of the handler');
    const recorder = subject.recorder();
    // A log that ignores the promise breaks this law, and does not end the process that looks for it.
    const failed = Promise.reject<void>(thrown);
    failed.catch(() => undefined);
    const records = (batch: readonly LogRecord[]): Promise<void> => {
      void recorder.records(batch);
      return failed;
    };
    await subject.log.tail(0, {
      records,
      gap: (gap) => recorder.gap(gap),
      reset: (state) => recorder.reset(state),
      status: (status, cause) => recorder.status(status, cause),
    });
    const other = await subject.tail(0);
    await subject.append(1);
    await recorder.until(() => recorder.statuses.at(-1) === 'down');
    const { length } = recorder.calls;
    const last = recorder.calls.at(-1);
    const cause = last?.type === 'status' ? last.cause : undefined;
    assert.ok(cause === thrown || cause?.cause === thrown, 'it says what was thrown');
    await subject.append(2);
    await other.until(() => other.indexes.length >= 3);
    await quietTurns();
    assert.equal(recorder.calls.length, length);
  });

  law(
    'many tails from different positions each tell their own part, a slow one does not hold up the others',
    async (subject) => {
      const indexes = await subject.append(10);
      const tails = await Promise.all(
        [0, ...indexes].map(async (after) => ({ after, told: await subject.tail(after) })),
      );
      tails[0]?.told.pause();
      indexes.push(...(await subject.append(10)));
      const rest = tails.slice(1);
      await Promise.all(
        rest.map(({ after, told }) => told.until(() => told.indexes.length >= indexes.filter((i) => i > after).length)),
      );
      tails[0]?.told.resume();
      await tails[0]?.told.until(() => tails[0]?.told.indexes.length === indexes.length);
      for (const { after, told } of tails) {
        assert.deepEqual(
          told.indexes,
          indexes.filter((index) => index > after),
        );
        checkNothingMissing(told, after);
      }
    },
  );
}

const plain = (records: readonly LogRecord[]) => records.map((record) => `${record.index}: ${holds(record)}`);
