import assert from 'node:assert/strict';

import type { LogRecordKind } from '../../core/log/event-log.ts';
import { bodyOf, holds, indexesOf, readAll, rejectsWith, textOf } from './subject.ts';
import type { Law } from './subject.ts';

const bodies: readonly Uint8Array[] = [
  new Uint8Array(0),
  bodyOf('{"text":"naïve \u0000 \u{1f600}"}'),
  Uint8Array.from({ length: 256 }, (_, byte) => byte),
  Uint8Array.from({ length: 20_000 }, (_, i) => (i * 31) % 251),
];

export function appendTests<Storage>(law: Law<Storage>): void {
  law('a log without records has head 0, first 1 and an epoch', async ({ log }) => {
    const { epoch, first, head } = await log.state();
    assert.deepEqual({ first, head }, { first: 1, head: 0 });
    assert.ok(epoch.length > 0);
  });

  law('indexes increase from append to append, and the head is the newest one', async (subject) => {
    const indexes = await subject.append(5);
    assert.deepEqual(
      indexes,
      [...indexes].sort((a, b) => a - b),
    );
    assert.equal(new Set(indexes).size, 5);
    assert.ok(indexes.every((index) => Number.isSafeInteger(index) && index >= 1));
    assert.equal((await subject.log.state()).head, indexes.at(-1));
  });

  law('indexes of a dense log have no holes', async (subject) => {
    if (!subject.log.capabilities.dense) return;
    assert.deepEqual(await subject.append(5), [1, 2, 3, 4, 5]);
  });

  law('body, kind and index come back as they were, and a time with them', async ({ log }) => {
    const kinds: readonly LogRecordKind[] = ['events', 'acl'];
    for (const body of bodies) for (const kind of kinds) await log.append(body, { kind });
    const records = await readAll(log, 1, (await log.state()).head);
    assert.deepEqual(
      records.map(holds),
      bodies.flatMap((body) => kinds.map((kind) => holds({ kind, body }))),
    );
    assert.ok(records.every(({ time }) => time > 0 && Number.isFinite(time)));
  });

  law('a record is of kind "events" when nothing else is said', async ({ log }) => {
    await log.append(bodyOf('x'));
    assert.deepEqual(
      (await readAll(log, 1, 1)).map(({ kind }) => kind),
      ['events'],
    );
  });

  law('a body that is changed after the call is kept as it was', async ({ log }) => {
    const body = bodyOf('before');
    const appended = log.append(body);
    body.fill(0);
    await appended;
    assert.deepEqual((await readAll(log, 1, 1)).map(textOf), ['before']);
  });

  law('64 appends in flight get indexes of their own, and each record stands at its index', async ({ log }) => {
    const texts = Array.from({ length: 64 }, (_, i) => `in flight ${i}`);
    const results = await Promise.all(texts.map((text) => log.append(bodyOf(text))));
    const textAt = new Map(
      (await readAll(log, 1, (await log.state()).head)).map((record) => [record.index, textOf(record)]),
    );
    assert.deepEqual(
      results.map(({ index }) => textAt.get(index)),
      texts,
    );
    assert.equal(textAt.size, 64);
  });

  law('a body of the largest size is kept, a larger one is refused with the limit named', async ({ log }) => {
    const { maxRecordBytes } = log.capabilities;
    const largest = new Uint8Array(maxRecordBytes).fill(7);
    await log.append(largest);
    await rejectsWith(
      'bad_request',
      () => log.append(new Uint8Array(maxRecordBytes + 1)),
      new RegExp(`${maxRecordBytes}`),
    );
    const records = await readAll(log, 1, (await log.state()).head);
    assert.equal(records.length, 1);
    assert.ok(Buffer.from(records[0]?.body ?? []).equals(largest));
  });

  law('an append whose signal was aborted before appends nothing', async (subject) => {
    await assert.rejects(() => subject.append(1, { signal: AbortSignal.abort() }));
    assert.deepEqual(await subject.append(1), [1]);
    assert.deepEqual(indexesOf(await readAll(subject.log, 1, 2)), [1]);
  });
}
