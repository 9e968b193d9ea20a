import assert from 'node:assert/strict';

import { bodyOf, readAll, rejectsWith, textOf } from './subject.ts';
import type { Law } from './subject.ts';

export function conditionalAppendTests<Storage>(law: Law<Storage>): void {
  law('appends with one id make one record, or ids are refused', async ({ log }) => {
    const append = (text: string, id: string) => log.append(bodyOf(text), { id });
    if (log.capabilities.dedupeWindowMs === 0) return rejectsWith('not_supported', () => append('a', 'one'));
    const first = await append('a', 'one');
    const other = await append('b', 'two');
    assert.equal(first.duplicate, false);
    assert.deepEqual(await append('c', 'one'), { index: first.index, duplicate: true });
    assert.equal(other.duplicate, false);
    assert.deepEqual((await readAll(log, 1, (await log.state()).head)).map(textOf), ['a', 'b']);
  });

  law('appends with one id that are in flight together make one record', async ({ log }) => {
    if (log.capabilities.dedupeWindowMs === 0) return;
    const results = await Promise.all(Array.from({ length: 8 }, () => log.append(bodyOf('x'), { id: 'one' })));
    assert.equal(new Set(results.map(({ index }) => index)).size, 1);
    assert.equal(results.filter(({ duplicate }) => !duplicate).length, 1);
    assert.equal((await readAll(log, 1, (await log.state()).head)).length, 1);
  });

  law('an id is recognised after the record was trimmed and the log opened again', async (subject) => {
    if (subject.log.capabilities.dedupeWindowMs === 0) return;
    const first = await subject.log.append(bodyOf('a'), { id: 'one' });
    await subject.append(1);
    await subject.trimTo(2);
    const log = await subject.reopen();
    assert.deepEqual(await log.append(bodyOf('a'), { id: 'one' }), { index: first.index, duplicate: true });
  });

  law(
    'an append at the expected head is made and one at another is an index_conflict, or both are refused',
    async (subject) => {
      const { log } = subject;
      const append = (expectedHead: number) => log.append(bodyOf('x'), { expectedHead });
      if (!log.capabilities.compareAndAppend) return rejectsWith('not_supported', () => append(0));
      const { index } = await append(0);
      await rejectsWith('index_conflict', () => append(0));
      await append(index);
      await rejectsWith('index_conflict', () => append(index + 10));
      assert.equal((await readAll(log, 1, (await log.state()).head)).length, 2);
    },
  );

  law('of appends that expect the same head and are in flight together, one is made', async ({ log }) => {
    if (!log.capabilities.compareAndAppend) return;
    const appends = Array.from({ length: 8 }, () => log.append(bodyOf('x'), { expectedHead: 0 }));
    const outcomes = await Promise.allSettled(appends);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal((await readAll(log, 1, (await log.state()).head)).length, 1);
  });

  law('a repeated id is a duplicate although the expected head is another by now', async ({ log }) => {
    if (!log.capabilities.compareAndAppend || log.capabilities.dedupeWindowMs === 0) return;
    const { index } = await log.append(bodyOf('x'), { id: 'one', expectedHead: 0 });
    assert.deepEqual(await log.append(bodyOf('x'), { id: 'one', expectedHead: 0 }), { index, duplicate: true });
  });
}
