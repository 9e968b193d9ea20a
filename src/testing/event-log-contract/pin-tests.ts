import assert from 'node:assert/strict';

import type { LogRecord } from '../../core/log/event-log.ts';
import type { EventLogHarness } from './harness.ts';
import { pinHistoryTests } from './pin-histories.ts';
import { pinnedTests } from './pinned-tests.ts';
import { bodyOf, holds, pin, pinned, pinnedIn, readAll, rejectsWith } from './subject.ts';
import type { Law } from './subject.ts';

const KEY_BYTES = 1024;

/** Strings that are taken for one by who compares them by anything but what they are. */
const alike = ['', '\u0000', 'a', 'A', 'a ', '\u00e4', 'a\u0308', '\ufffd', '\ud800', '\udfff', '=', '#'];

export function pinTests<Storage>(law: Law<Storage>, harness: EventLogHarness<Storage>): void {
  law('pins and unpins are honoured, or refused', async ({ log }) => {
    if (log.capabilities.pins) return assert.equal(typeof log.pinned, 'function');
    await rejectsWith('not_supported', () => log.append(bodyOf('x'), { pins: ['a'] }));
    await rejectsWith('not_supported', () => log.append(bodyOf('x'), { unpins: ['a'] }));
    assert.equal((await log.state()).head, 0);
  });

  const pinLaw: Law<Storage> = (rule, test) =>
    law(rule, async (subject) => {
      if (subject.log.capabilities.pins) await test(subject);
    });
  keepingTests(pinLaw);
  appendingTests(pinLaw);
  keyTests(pinLaw);
  pinnedTests(pinLaw, harness);
  pinHistoryTests(pinLaw);
}

function keepingTests<Storage>(law: Law<Storage>): void {
  law('a pinned record outlives trimming as it was, and nothing but pinned() tells of it', async (subject) => {
    const { log } = subject;
    await log.append(bodyOf('first'), { pins: ['a'], kind: 'acl' });
    await subject.append(4);
    const [before] = await readAll(log, 1, 1);
    await subject.trimTo(4);
    const { first, head } = await log.state();
    assert.deepEqual({ first, head }, { first: 4, head: 5 });
    const [record, ...others] = await pinnedIn(log);
    assert.deepEqual(others, []);
    assert.deepEqual(record && fullText(record), before && fullText(before));
    await rejectsWith('gap', () => readAll(log, 1, 5));
    await rejectsWith('gap', () => readAll(log, 1, 1));
    const tail = await subject.tail(0);
    await tail.until(() => tail.indexes.length >= 2);
    assert.deepEqual(tail.indexes, [4, 5]);
  });

  law('pinned() tells of no record that read gives', async (subject) => {
    for (const key of ['a', 'b', 'c', 'd']) await pin(subject, key);
    assert.deepEqual(await pinned(subject), []);
    await subject.trimTo(3);
    assert.deepEqual(await pinned(subject), [1, 2]);
    await subject.trimTo(5);
    assert.deepEqual(await pinned(subject), [1, 2, 3, 4]);
  });

  law('records that are pinned do not count when the log is trimmed', async (subject) => {
    for (let i = 0; i < 10; i++) await pin(subject, `key ${i}`);
    await subject.trimTo(6);
    await subject.append(4);
    await subject.trimTo(11);
    const { first, head } = await subject.log.state();
    assert.deepEqual({ first, head }, { first: 11, head: 14 });
    assert.deepEqual(await pinned(subject), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  law('only the newest record of a key is kept, whether the one before was trimmed or not', async (subject) => {
    await pin(subject, 'a');
    await pin(subject, 'b');
    await pin(subject, 'b');
    await subject.append(2);
    await subject.trimTo(5);
    assert.deepEqual(await pinned(subject), [1, 3]);
    await pin(subject, 'a');
    assert.deepEqual(await pinned(subject), [3]);
    await subject.trimTo(7);
    assert.deepEqual(await pinned(subject), [3, 6]);
  });

  law('an unpinned record is gone when it was trimmed, and otherwise with the next trimming', async (subject) => {
    for (const key of ['a', 'b', 'c']) await pin(subject, key);
    await subject.trimTo(3);
    await subject.log.append(bodyOf('x'), { unpins: ['a', 'c', 'of nobody'] });
    assert.deepEqual(await pinned(subject), [2]);
    await subject.trimTo(5);
    assert.deepEqual(await pinned(subject), [2]);
  });

  law('a record with several keys is kept while one of them is still pinned to it', async (subject) => {
    await pin(subject, 'a', 'b', 'c');
    await subject.append(1);
    await subject.trimTo(3);
    await pin(subject, 'a');
    assert.deepEqual(await pinned(subject), [1]);
    await subject.log.append(bodyOf('x'), { unpins: ['b'] });
    assert.deepEqual(await pinned(subject), [1]);
    await pin(subject, 'c', 'd');
    assert.deepEqual(await pinned(subject), []);
    await subject.trimTo(6);
    assert.deepEqual(await pinned(subject), [3, 5]);
  });
}

function appendingTests<Storage>(law: Law<Storage>): void {
  law('appends that are in flight together see the pins of those before them', async (subject) => {
    const { log } = subject;
    const appends = Array.from({ length: 64 }, async (_, i) => {
      const options = i % 4 === 3 ? { unpins: ['a'] } : { pins: ['a', `key ${i % 5}`] };
      return { ...options, ...(await log.append(bodyOf(`${i}`), options)) };
    });
    const newest = new Map<string, number>();
    for (const { index, ...options } of (await Promise.all(appends)).sort((a, b) => a.index - b.index)) {
      for (const key of options.unpins ?? []) newest.delete(key);
      for (const key of options.pins ?? []) newest.set(key, index);
    }
    await subject.trimTo(65);
    assert.deepEqual(
      await pinned(subject),
      [...new Set(newest.values())].sort((a, b) => a - b),
    );
  });

  law('a repeated append pins and unpins nothing', async (subject) => {
    const { log } = subject;
    if (log.capabilities.dedupeWindowMs === 0) return;
    await log.append(bodyOf('x'), { id: 'one', pins: ['a'] });
    await pin(subject, 'a');
    await log.append(bodyOf('x'), { id: 'one', pins: ['a', 'b'] });
    await log.append(bodyOf('x'), { id: 'one', unpins: ['a'] });
    await subject.trimTo(3);
    assert.deepEqual(await pinned(subject), [2]);
  });

  law('an append that is refused for its expected head pins and unpins nothing', async (subject) => {
    const { log } = subject;
    if (!log.capabilities.compareAndAppend) return;
    await pin(subject, 'a');
    await rejectsWith('index_conflict', () => log.append(bodyOf('x'), { expectedHead: 7, unpins: ['a'] }));
    await rejectsWith('index_conflict', () => log.append(bodyOf('x'), { expectedHead: 7, pins: ['a'] }));
    await subject.append(1);
    await subject.trimTo(3);
    assert.deepEqual(await pinned(subject), [1]);
  });
}

function keyTests<Storage>(law: Law<Storage>): void {
  law('keys are any strings, and two are one only where they are the same', async (subject) => {
    for (const key of alike) await pin(subject, key);
    await subject.trimTo(alike.length + 1);
    assert.deepEqual(
      await pinned(subject),
      alike.map((_, i) => i + 1),
    );
    await subject.log.append(bodyOf('x'), { unpins: alike });
    assert.deepEqual(await pinned(subject), []);
  });

  law('a key that is named twice is one', async (subject) => {
    await pin(subject, 'a', 'a');
    await subject.append(1);
    await subject.trimTo(3);
    assert.deepEqual(await pinned(subject), [1]);
    await subject.log.append(bodyOf('x'), { unpins: ['a', 'a'] });
    assert.deepEqual(await pinned(subject), []);
  });

  law('a key of the largest size is taken, a larger one is refused with the limit named', async (subject) => {
    const { log } = subject;
    const largest = '\u00e4'.repeat(KEY_BYTES / 2);
    await pin(subject, largest);
    for (const name of ['pins', 'unpins']) {
      const append = () => log.append(bodyOf('x'), { [name]: [`${largest}a`] });
      await rejectsWith('bad_request', append, new RegExp(`${name}.*${KEY_BYTES}`));
    }
    await subject.trimTo(2);
    assert.deepEqual(await pinned(subject), [1]);
  });

  law('keys that make no sense are refused, and nothing is appended', async ({ log }) => {
    await rejectsWith('bad_request', () => log.append(bodyOf('x'), { pins: ['a', 'b'], unpins: ['b'] }), /"b"/);
    for (const wrong of ['a', null, [1], [undefined]]) {
      await assert.rejects(() => log.append(bodyOf('x'), { pins: wrong as never }), TypeError);
      await assert.rejects(() => log.append(bodyOf('x'), { unpins: wrong as never }), TypeError);
    }
    assert.equal((await log.state()).head, 0);
  });

  law('keys that are changed after the call are as they were', async (subject) => {
    const pins = ['a'];
    const appended = subject.log.append(bodyOf('x'), { pins });
    pins[0] = 'b';
    await appended;
    await pin(subject, 'b');
    await subject.trimTo(3);
    assert.deepEqual(await pinned(subject), [1, 2]);
  });
}

const fullText = (record: LogRecord) => `${record.index} at ${record.time}: ${holds(record)}`;
