import { expect, it } from 'vitest';

import { JetStreamEventLog } from '../../src/logs/jetstream/index.ts';
import { describeWithNats, natsForAll } from '../servers/nats-server.ts';

/** No append ends by itself, however long a busy machine takes. */
const patience = { appendTimeoutMs: 60_000, publishTimeoutMs: 30_000 };

describeWithNats('appends that a JetStream has not acknowledged', () => {
  const nats = natsForAll();

  it.each([
    ['are 4,096 at most', 'counted', 4096, 10],
    ['hold 64 MiB at most', 'weighed', 128, 512 * 1024],
  ] as const)(
    '%s: one more is refused and not stored, the others are, and then there is room again',
    async (_, stream, fits, bytes) => {
      const log = await JetStreamEventLog.open({ connection: nats().connection, stream, ...patience });
      const body = new Uint8Array(bytes);
      await nats().server.freeze();
      const appends = Array.from({ length: fits }, () => log.append(body));
      const refused: unknown = await log.append(body).catch((error: unknown) => error);
      nats().server.thaw();
      expect(refused).toMatchObject({
        code: 'at_capacity',
        message: expect.stringMatching(/4096 appends or 67108864 bytes.*; nothing was stored/),
      });
      const indexes = (await Promise.all(appends)).map(({ index }) => index);
      expect(new Set(indexes).size).toBe(fits);
      expect(await log.state()).toMatchObject({ first: 1, head: fits });
      expect(await log.append(body)).toEqual({ index: fits + 1, duplicate: false });
      await log.close();
    },
  );

  it('count until they have ended, also when their callers gave up', async () => {
    const log = await JetStreamEventLog.open({ connection: nats().connection, stream: 'given-up', ...patience });
    const body = new Uint8Array(10);
    const callers = Array.from({ length: 4096 }, () => new AbortController());
    await nats().server.freeze();
    const ended = Promise.allSettled(callers.map(({ signal }) => log.append(body, { signal })));
    // By then they are on their way to the server, and may be stored.
    await new Promise(setImmediate);
    for (const caller of callers) caller.abort();
    const outcomes = new Set((await ended).map(({ status }) => status));
    const refused: unknown = await log.append(body).catch((error: unknown) => error);
    nats().server.thaw();
    expect(outcomes).toEqual(new Set(['rejected']));
    expect(refused).toMatchObject({ code: 'at_capacity' });
    await log.close();
  });
});
