import assert from 'node:assert/strict';

import { bodyOf, indexesOf, readAll, rejectsWith } from './subject.ts';
import type { Law } from './subject.ts';

export function readTests<Storage>(law: Law<Storage>): void {
  law('a read gives what lies between its bounds, both inclusive, and ends', async (subject) => {
    const indexes = await subject.append(10);
    const [, , third = 0, , , , seventh = 0] = indexes;
    assert.deepEqual(indexesOf(await readAll(subject.log, third, seventh)), indexes.slice(2, 7));
    assert.deepEqual(indexesOf(await readAll(subject.log, third, third)), [third]);
  });

  law('a read ends at the head when that comes before its upper bound', async (subject) => {
    const indexes = await subject.append(3);
    assert.deepEqual(indexesOf(await readAll(subject.log, 1, Number.MAX_SAFE_INTEGER)), indexes);
  });

  law('a read past the head, or between bounds that cross, gives nothing', async (subject) => {
    assert.deepEqual(await readAll(subject.log, 1, 5), []);
    const [, second = 0, third = 0] = await subject.append(3);
    assert.deepEqual(await readAll(subject.log, third + 1, third + 5), []);
    assert.deepEqual(await readAll(subject.log, third, second), []);
  });

  law('a read hands over chunks of about maxBytes, of one record at least', async ({ log }) => {
    for (let i = 0; i < 20; i++) await log.append(new Uint8Array(1000));
    const sizes: number[] = [];
    for await (const chunk of log.read(1, 20, { maxBytes: 3000 })) sizes.push(chunk.length);
    assert.ok(Math.max(...sizes) <= 3, `chunks of ${sizes.join(', ')} records of 1000 bytes for 3000`);
    const small: number[] = [];
    for await (const chunk of log.read(1, 20, { maxBytes: 1 })) small.push(...indexesOf(chunk));
    assert.equal(small.length, 20);
  });

  law('a read of many records is whole, in order and without holes', async ({ log }) => {
    await Promise.all(Array.from({ length: 300 }, (_, i) => log.append(bodyOf(`${i}`))));
    const indexes = indexesOf(await readAll(log, 1, (await log.state()).head, { maxBytes: 64 }));
    assert.equal(indexes.length, 300);
    assert.deepEqual(
      indexes,
      [...new Set(indexes)].sort((a, b) => a - b),
    );
  });

  law('a read for another run of indexes than the log’s gives nothing of this one', async (subject) => {
    const indexes = await subject.append(3);
    const { epoch } = await subject.log.state();
    assert.deepEqual(indexesOf(await readAll(subject.log, 1, 3, { epoch })), indexes);
    await rejectsWith('gap', () => readAll(subject.log, 1, 3, { epoch: `not ${epoch}` }));
  });

  law('a read that is given up early holds nothing up', async (subject) => {
    await subject.append(10);
    for await (const _chunk of subject.log.read(1, 10, { maxBytes: 1 })) break;
    assert.equal((await subject.append(1)).length, 1);
  });

  law('a read whose signal is aborted ends with an error', async (subject) => {
    await subject.append(10);
    const abort = new AbortController();
    const seen: number[] = [];
    await assert.rejects(async () => {
      for await (const chunk of subject.log.read(1, 10, { maxBytes: 1, signal: abort.signal })) {
        seen.push(...indexesOf(chunk));
        abort.abort();
      }
    });
    assert.ok(seen.length >= 1 && seen.length < 10);
  });

  law('records appended while a read goes on do not lead it past its upper bound', async (subject) => {
    const indexes = await subject.append(5);
    const seen: number[] = [];
    for await (const chunk of subject.log.read(1, indexes[4] ?? 0, { maxBytes: 1 })) {
      seen.push(...indexesOf(chunk));
      await subject.append(1);
    }
    assert.deepEqual(seen, indexes);
  });

  law('a read before the oldest record is a gap even where the upper bound is still there', async (subject) => {
    await subject.append(6);
    await subject.trimTo(4);
    await rejectsWith('gap', () => readAll(subject.log, 1, 6));
  });
}
