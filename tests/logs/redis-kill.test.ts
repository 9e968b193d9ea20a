import { expect, it } from 'vitest';

import { clientKinds, describeWithRedis } from '../servers/redis-server.ts';
import { bodyOf, cleanUpAfterEach, follow, insist, openOn, readTexts, startServer } from './redis-around.ts';

const KILLS = 5;
const WRITERS = 8;

describeWithRedis.each(clientKinds)('a Redis that is killed under writers on the client %s', (kind) => {
  cleanUpAfterEach();

  it('loses nothing that was acknowledged and stores nothing twice; a tail tells every record once', async () => {
    const server = await startServer();
    const log = await openOn(server, kind);
    const tail = await follow(await openOn(server, kind));
    const { epoch } = await log.state();
    const acknowledged = new Map<number, string>();
    const over = new AbortController();
    const write = async (writer: number) => {
      for (let n = 0; !over.signal.aborted; n++) {
        const text = `${writer}-${n}`;
        const { index } = await insist(() => log.append(bodyOf(text), { id: text }));
        acknowledged.set(index, text);
      }
    };
    const writing = Array.from({ length: WRITERS }, (_, writer) => write(writer));
    for (let kill = 0; kill < KILLS; kill++) {
      const before = acknowledged.size;
      await tail.until(() => tail.indexes.length > before);
      await server.restart();
      await insist(() => log.append(bodyOf(`kill ${kill}`)));
    }
    over.abort();
    await Promise.all(writing);

    const state = await log.state();
    expect(state).toEqual({ epoch, first: 1, head: state.head });
    await tail.until(() => tail.indexes.length >= state.head);
    expect(tail.indexes).toEqual(Array.from({ length: state.head }, (_, i) => i + 1));
    expect(tail.calls.filter(({ type }) => type === 'gap' || type === 'reset')).toEqual([]);
    const texts = await readTexts(log, 1);
    expect(tail.recorded.map(({ body }) => Buffer.from(body).toString())).toEqual(texts);
    for (const [index, text] of acknowledged) expect(texts[index - 1]).toBe(text);
    const written = texts.filter((text) => !text.startsWith('kill'));
    expect(new Set(written).size).toBe(written.length);
  });

  it('fails what is under way, and tells the tail down and up again', async () => {
    const server = await startServer();
    const log = await openOn(server, kind, { appendTimeoutMs: 200 });
    const tail = await follow(log);
    await log.append(bodyOf('before'));
    await server.freeze();
    const appended = log.append(bodyOf('under way'));
    appended.catch(() => undefined);
    await server.kill();
    await expect(appended).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(log.append(bodyOf('while down'))).rejects.toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining('nothing was stored') as string,
    });
    await tail.until(() => tail.statuses.at(-1) === 'down');
    await server.run();
    await tail.until(() => tail.statuses.at(-1) === 'up');
    await insist(() => log.append(bodyOf('after')));
    const texts = await readTexts(log, 1);
    expect(texts.filter((text) => text !== 'under way')).toEqual(['before', 'after']);
  });
});
