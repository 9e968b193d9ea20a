import assert from 'node:assert/strict';

import { BrokerError } from '../../model/errors.ts';
import type { EventLogHarness } from './harness.ts';
import { bodyOf, indexesOf, pin, pinned, pinnedIn, rejectsWith, textOf } from './subject.ts';
import type { Law, Subject } from './subject.ts';

/** What `pinned()` gives, in chunks, over changes, and from one opening of a log to the next. */
export function pinnedTests<Storage>(law: Law<Storage>, harness: EventLogHarness<Storage>): void {
  readingTests(law);
  lifecycleTests(law, harness);
}

function readingTests<Storage>(law: Law<Storage>): void {
  law('pinned() hands over chunks of about maxBytes, of one record at least, in order', async (subject) => {
    const { log } = subject;
    for (let i = 0; i < 20; i++) await log.append(new Uint8Array(1000), { pins: [`${i}`] });
    await subject.trimTo(21);
    await log.append(bodyOf('x'), { unpins: ['3', '4', '11'] });
    const left = [1, 2, 3, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20];
    const sizes: number[] = [];
    for await (const chunk of log.pinned?.({ maxBytes: 3000 }) ?? []) sizes.push(chunk.length);
    assert.ok(Math.max(...sizes) <= 3, `chunks of ${sizes.join(', ')} records of 1000 bytes for 3000`);
    assert.ok(!sizes.includes(0), 'no chunk is empty');
    assert.deepEqual(indexesOf(await pinnedIn(log, { maxBytes: 1 })), left);
    assert.deepEqual(await pinned(subject), left);
  });

  law('pins that change while pinned() is read leave out no record that stays pinned', async (subject) => {
    const { log } = subject;
    for (let i = 0; i < 20; i++) await pin(subject, `${i}`);
    await subject.trimTo(21);
    const seen: number[] = [];
    for await (const chunk of log.pinned?.({ maxBytes: 1 }) ?? []) {
      seen.push(...indexesOf(chunk));
      const next = seen.length;
      // Those before and the one after what was just told.
      if (next % 3 === 1) await log.append(bodyOf('x'), { unpins: [`${next - 1}`, `${next - 2}`, `${next}`] });
      await subject.trimTo((await log.state()).head + 1);
    }
    assert.deepEqual(
      seen.filter((index, i) => i > 0 && index <= (seen[i - 1] ?? 0)),
      [],
      'in order',
    );
    const rest = (await pinned(subject)).filter((index) => !seen.includes(index));
    assert.deepEqual(rest, [], 'whatever is still pinned was told');
  });

  law('pinned() ends, however fast the log is pinned and trimmed meanwhile', async (subject) => {
    await pin(subject, 'a');
    await pin(subject, 'b');
    await subject.trimTo(3);
    let chunks = 0;
    for await (const _chunk of subject.log.pinned?.({ maxBytes: 1 }) ?? []) {
      await pin(subject, `key ${chunks}`);
      await subject.trimTo((await subject.log.state()).head + 1);
      if ((chunks += 1) > 50) break;
    }
    assert.ok(chunks <= 50, 'it goes on for as long as the log does');
  });

  law('pinned() that is given up early holds nothing up, and ends with an error when aborted', async (subject) => {
    const { log } = subject;
    for (let i = 0; i < 10; i++) await pin(subject, `${i}`);
    await subject.trimTo(11);
    for await (const _chunk of log.pinned?.({ maxBytes: 1 }) ?? []) break;
    await pin(subject, '0');
    const abort = new AbortController();
    await assert.rejects(async () => {
      for await (const _chunk of log.pinned?.({ maxBytes: 1, signal: abort.signal }) ?? []) abort.abort();
    });
    assert.deepEqual(await pinned(subject), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
}

function lifecycleTests<Storage>(law: Law<Storage>, harness: EventLogHarness<Storage>): void {
  law('pins are the same after the log was opened again, and can still be moved', async (subject) => {
    await pin(subject, 'a', 'b');
    await pin(subject, 'c');
    await pin(subject, 'd');
    await subject.trimTo(3);
    await subject.reopen();
    assert.deepEqual(await pinned(subject), [1, 2]);
    await pin(subject, 'a', 'c');
    assert.deepEqual(await pinned(subject), [1]);
    await pin(subject, 'b');
    assert.deepEqual(await pinned(subject), []);
    await subject.reopen();
    await subject.trimTo(6);
    assert.deepEqual(await pinned(subject), [3, 4, 5]);
  });

  law('pinned() of a log that was closed is refused with "closed"', async (subject) => {
    await pin(subject, 'a');
    await subject.log.close();
    await rejectsWith('closed', () => pinnedIn(subject.log));
  });

  if (harness.isShared) {
    law('a record that one handle pinned is told, and unpinned, by another', async (subject) => {
      const other = await subject.another();
      await pin(subject, 'a');
      await other.append(bodyOf('x'), { pins: ['b'] });
      await subject.trimTo(3);
      assert.deepEqual(indexesOf(await pinnedIn(other)), [1, 2]);
      await other.append(bodyOf('x'), { unpins: ['a'] });
      assert.deepEqual(await pinned(subject), [2]);
    });
  }

  if (harness.recreate) {
    law('a log that was deleted and made anew has no pins', async (subject) => {
      await pin(subject, 'a');
      await pin(subject, 'b');
      await subject.trimTo(3);
      await subject.recreate();
      await subject.append(3);
      await subject.trimTo(3);
      assert.deepEqual(await pinned(subject), []);
      await pin(subject, 'b');
      await subject.trimTo(5);
      assert.deepEqual(await pinned(subject), [4]);
    });
  }
  if (harness.recreate && harness.survivesRecreation) {
    law('pinned() during which the log is deleted and made anew gives nothing of the new one', async (subject) => {
      for (let i = 0; i < 5; i++) await pin(subject, `${i}`);
      await subject.trimTo(6);
      const seen: string[] = [];
      const read = async () => {
        for await (const chunk of subject.log.pinned?.({ maxBytes: 1 }) ?? []) {
          if (seen.length === 0) await recreateWithPins(subject);
          seen.push(...chunk.map(textOf));
        }
      };
      await read().catch((error: unknown) => {
        if (!BrokerError.is(error) || error.code !== 'gap') throw error;
      });
      assert.ok(!seen.includes('new'), `told: ${seen.join(', ')}`);
    });
  }
}

async function recreateWithPins<Storage>(subject: Subject<Storage>): Promise<void> {
  await subject.recreate();
  for (let i = 0; i < 5; i++) await subject.log.append(bodyOf('new'), { pins: [`${i}`] });
  await subject.trimTo(6);
}
