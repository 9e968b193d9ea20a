import assert from 'node:assert/strict';

import { BrokerError } from '../../model/errors.ts';
import type { EventLogHarness } from './harness.ts';
import { bodyOf, indexesOf, readAll, rejectsWith, textOf } from './subject.ts';
import type { Law } from './subject.ts';

export function lifecycleTests<Storage>(law: Law<Storage>, harness: EventLogHarness<Storage>): void {
  closingTests(law);
  if (harness.isShared) sharingTests(law);
  if (harness.kill) killTests(law);
  if (harness.recreate) recreationTests(law, harness.survivesRecreation ?? false);
  law('capabilities say "shared" only where the suite may open a second handle', async ({ log }) => {
    assert.ok(harness.isShared || !log.capabilities.shared, 'set isShared in the harness');
  });
}

function closingTests<Storage>(law: Law<Storage>): void {
  law('records, head and epoch are the same after the log was opened again', async (subject) => {
    const indexes = await subject.append(5);
    const before = await subject.log.state();
    const log = await subject.reopen();
    assert.deepEqual(await log.state(), before);
    assert.deepEqual(
      (await readAll(log, 1, before.head)).map(textOf),
      indexes.map((_, i) => `record ${i}`),
    );
    const [next = 0] = await subject.append(1);
    assert.ok(next > before.head);
  });

  law('a log that was closed refuses every call with "closed", and closes twice', async ({ log }) => {
    await log.append(bodyOf('x'));
    await log.close();
    await log.close();
    const handler = { records: () => undefined, gap: () => undefined, reset: () => undefined, status: () => undefined };
    await rejectsWith('closed', () => log.state());
    await rejectsWith('closed', () => log.append(bodyOf('x')));
    await rejectsWith('closed', () => readAll(log, 1, 1));
    await rejectsWith('closed', () => log.tail(0, handler));
  });

  law('closing ends the tails: they are told nothing any more', async (subject) => {
    const tail = await subject.tail(0);
    await subject.append(2);
    await tail.until(() => tail.indexes.length >= 2);
    await subject.log.close();
    const calls = tail.calls.length;
    await subject.reopen();
    await subject.append(1);
    assert.equal(tail.calls.length, calls);
  });

  law('appends in flight when the log is closed are acknowledged and kept, or fail', async (subject) => {
    const appends = Array.from({ length: 20 }, (_, i) => subject.log.append(bodyOf(`${i}`)));
    const [, ...outcomes] = await Promise.allSettled([subject.log.close(), ...appends]);
    const acknowledged = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const log = await subject.reopen();
    const kept = new Set(indexesOf(await readAll(log, 1, (await log.state()).head)));
    assert.ok(acknowledged.every(({ index }) => kept.has(index)));
  });
}

function sharingTests<Storage>(law: Law<Storage>): void {
  law('two handles append to one order and each tails all of it', async (subject) => {
    const other = await subject.another();
    const tails = [await subject.tail(0), await subject.tail(0, other)] as const;
    const appends = Array.from({ length: 40 }, (_, i) => (i % 2 ? other : subject.log).append(bodyOf(`${i}`)));
    const indexes = (await Promise.all(appends)).map(({ index }) => index);
    assert.equal(new Set(indexes).size, 40);
    await Promise.all(tails.map((tail) => tail.until(() => tail.indexes.length >= 40)));
    assert.deepEqual(
      tails[0].indexes,
      [...indexes].sort((a, b) => a - b),
    );
    assert.deepEqual(tails[0].recorded.map(textOf), tails[1].recorded.map(textOf));
    assert.deepEqual(await other.state(), await subject.log.state());
  });

  law('a handle that is closed leaves the other one at work', async (subject) => {
    const other = await subject.another();
    await subject.append(2);
    const tail = await subject.tail(0, other);
    await subject.log.close();
    await other.append(bodyOf('x'));
    await tail.until(() => tail.indexes.length >= 3);
  });
}

function killTests<Storage>(law: Law<Storage>): void {
  law('what was acknowledged before a kill is there after it, and a tail tells everything once', async (subject) => {
    const tail = await subject.tail(0);
    const acknowledged = await subject.append(20);
    await tail.until(() => tail.indexes.length >= 20);
    await subject.kill();
    await tail.until(() => tail.statuses.at(-1) === 'up');
    acknowledged.push(...(await subject.append(5)));
    await tail.until(() => tail.indexes.length >= 25);
    assert.deepEqual(tail.indexes, acknowledged);
    assert.deepEqual(indexesOf(await readAll(subject.log, 1, acknowledged.at(-1) ?? 0)), acknowledged);
  });
}

function recreationTests<Storage>(law: Law<Storage>, survives: boolean): void {
  law('a log that was deleted and made anew has another epoch and begins at 1', async (subject) => {
    await subject.append(5);
    const before = await subject.log.state();
    await subject.recreate();
    const { epoch, head } = await subject.log.state();
    assert.notEqual(epoch, before.epoch);
    assert.equal(head, 0);
    assert.deepEqual(await subject.append(1), [1]);
  });

  if (!survives) return;
  law(
    'a tail over a log that is deleted and made anew tells "reset" and goes on with the new records',
    async (subject) => {
      const tail = await subject.tail(0);
      await subject.append(5);
      await tail.until(() => tail.indexes.length >= 5);
      await subject.recreate();
      await tail.until(() => tail.calls.some(({ type }) => type === 'reset'));
      const { epoch } = await subject.log.state();
      const reset = tail.calls.find((call) => call.type === 'reset');
      assert.ok(reset?.type === 'reset');
      assert.equal(reset.state.epoch, epoch);
      await tail.until(() => tail.statuses.at(-1) === 'up');
      await subject.append(1);
      await tail.until(() => tail.indexes.length >= 6);
      assert.equal(tail.indexes.at(-1), 1);
    },
  );

  law(
    'a tail that begins after the log that state told of was deleted and made anew tells "reset"',
    async (subject) => {
      await subject.append(5);
      await subject.log.state();
      await subject.recreate();
      const tail = await subject.tail(5);
      await tail.until(() => tail.calls.some(({ type }) => type === 'reset'));
      await subject.append(1);
      await tail.until(() => tail.indexes.length > 0);
      assert.deepEqual(tail.indexes, [1]);
    },
  );

  law('a read during which the log is deleted and made anew gives nothing of the new one', async (subject) => {
    await subject.append(20);
    const seen: string[] = [];
    const read = async () => {
      for await (const chunk of subject.log.read(1, 20, { maxBytes: 1 })) {
        if (seen.length === 0) {
          await subject.recreate();
          for (let i = 0; i < 30; i++) await subject.log.append(bodyOf('new'));
        }
        seen.push(...chunk.map(textOf));
      }
    };
    await read().catch((error: unknown) => {
      if (!BrokerError.is(error) || error.code !== 'gap') throw error;
    });
    assert.ok(!seen.includes('new'), `read: ${seen.join(', ')}`);
  });
}
