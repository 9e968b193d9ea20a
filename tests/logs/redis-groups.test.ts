import { expect, it } from 'vitest';

import { clientKinds, describeWithRedis } from '../servers/redis-server.ts';
import { bodyOf, cleanUpAfterEach, connect, follow, openOn, readTexts, startServer } from './redis-around.ts';

const texts = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `record ${from + n}`);

describeWithRedis.each(clientKinds)('records of a Redis log that are appended together, on the client %s', (kind) => {
  cleanUpAfterEach();

  /** Ten records in one group, then ten in another. */
  async function openFilled() {
    const server = await startServer('--appendfsync', 'no');
    const log = await openOn(server, kind);
    for (const group of [texts(1, 10), texts(11, 20)]) {
      await Promise.all(group.map((text) => log.append(bodyOf(text))));
    }
    const { run } = await connect(server);
    expect(await run('XLEN', 'events')).toBe(2);
    return { server, log, run };
  }

  it('can be read from every one to every one, in chunks of any size', async () => {
    const { log } = await openFilled();
    for (let from = 1; from <= 20; from++) {
      for (const to of [from, 10, 15, 20]) {
        expect(await readTexts(log, from, to)).toEqual(texts(from, to).slice(0, Math.max(0, to - from + 1)));
      }
    }
    const sizes: number[] = [];
    for await (const chunk of log.read(3, 13, { maxBytes: 20 })) sizes.push(chunk.length);
    expect(sizes).toEqual([2, 2, 2, 2, 2, 1]);
  });

  it('are told to a tail from the middle of a group on, and then whatever follows', async () => {
    const { log } = await openFilled();
    const tails = await Promise.all([0, 4, 10, 19, 20].map((after) => follow(log, after)));
    await log.append(bodyOf('record 21'));
    for (const [at, after] of [0, 4, 10, 19, 20].entries()) {
      const tail = tails[at];
      await tail?.until(() => tail.indexes.at(-1) === 21);
      expect(tail?.recorded.map(({ body }) => Buffer.from(body).toString())).toEqual(texts(after + 1, 21));
    }
  });

  it('are trimmed one by one: by number, and by bytes', async () => {
    const { log, run } = await openFilled();
    expect(await log.trim({ maxRecords: 14 })).toMatchObject({ first: 7, head: 20 });
    expect(await readTexts(log, 7)).toEqual(texts(7, 20));
    await expect(readTexts(log, 6)).rejects.toMatchObject({ code: 'gap' });
    expect(await log.trim({ maxBytes: 9 * 9 })).toMatchObject({ first: 12, head: 20 });
    expect(await readTexts(log, 12)).toEqual(texts(12, 20));
    expect(await run('XLEN', 'events')).toBe(1);
    const tail = await follow(log, 3);
    await tail.until(() => tail.indexes.at(-1) === 20);
    expect(tail.calls.find(({ type }) => type === 'gap')).toEqual({ type: 'gap', after: 3, first: 12 });
    expect(tail.indexes[0]).toBe(12);
    expect(await log.trim({ maxRecords: 0 })).toMatchObject({ first: 21, head: 20 });
    expect(await log.append(bodyOf('record 21'))).toMatchObject({ index: 21 });
    expect(await readTexts(log, 21)).toEqual(['record 21']);
  });

  it('are each its own append: a duplicate and a conflict leave the others as they are', async () => {
    const log = await openOn(await startServer(), kind);
    await log.append(bodyOf('a'), { id: 'one' });
    const settled = await Promise.allSettled([
      log.append(bodyOf('b')),
      log.append(bodyOf('again'), { id: 'one' }),
      log.append(bodyOf('c'), { id: 'two', kind: 'acl' }),
      log.append(bodyOf('late'), { expectedHead: 1 }),
      log.append(bodyOf('again'), { id: 'two' }),
      log.append(bodyOf('d'), { expectedHead: 3 }),
      log.append(new Uint8Array()),
    ]);
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message))).toEqual([
      { index: 2, duplicate: false },
      { index: 1, duplicate: true },
      { index: 3, duplicate: false },
      "Expected the log's head to be 1; it is 3.",
      { index: 3, duplicate: true },
      { index: 4, duplicate: false },
      { index: 5, duplicate: false },
    ]);
    expect(await readTexts(log, 1)).toEqual(['a', 'b', 'c', 'd', '']);
    expect(await log.state()).toMatchObject({ first: 1, head: 5 });
  });

  it('are told as one gap when somebody deleted them', async () => {
    const { log, run } = await openFilled();
    await run('XDEL', 'events', '10-0');
    await run('XSETID', 'events', '20-0');
    expect(await readTexts(log, 11)).toEqual(texts(11, 20));
    await expect(readTexts(log, 1)).rejects.toMatchObject({ code: 'gap' });
    const tail = await follow(log);
    await tail.until(() => tail.indexes.at(-1) === 20);
    expect(tail.calls.find(({ type }) => type === 'gap')).toEqual({ type: 'gap', after: 0, first: 11 });
  });

  it('stay readable around an entry that somebody else put between two groups', async () => {
    const server = await startServer('--appendfsync', 'no');
    const log = await openOn(server, kind);
    const { run } = await connect(server);
    // Behind the place of the group's first record, before that of its last one.
    await run('XADD', 'events', '2-0', 'not', 'ours');
    await Promise.all(texts(1, 4).map((text) => log.append(bodyOf(text))));
    expect(await readTexts(log, 1)).toEqual(texts(1, 4));
    const tail = await follow(log);
    await tail.until(() => tail.indexes.length === 4);
    expect(await log.trim({ maxRecords: 1 })).toMatchObject({ first: 4, head: 4 });
    expect(await log.trim({ maxBytes: 0 })).toMatchObject({ first: 5, head: 4 });
    expect(await run('XLEN', 'events')).toBe(0);
  });
});
