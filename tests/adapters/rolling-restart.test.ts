import { expect, it } from 'vitest';

import { describeWithNginx } from '../servers/nginx.ts';
import { cluster, expectSpread, quarters, untilServedBy, type Goodbye } from './rolling-cluster.ts';

describeWithNginx('two servers that share a log behind nginx with its defaults', () => {
  it('are restarted one after the other: 1,000 clients get all of it once and meet no failure', async () => {
    const { url, servers, readers, publisher, restart, finish } = await cluster({ clients: 1000, drainMs: 5000 });
    const goodbyes: (readonly Goodbye[])[] = [];
    for (const server of servers) {
      goodbyes.push(await restart(server));
      await publisher.stop();
      await untilServedBy(url, server.port);
    }
    const last = await finish();
    for (const ended of goodbyes) expectSpread(ended, 5000);
    // Each was on one of the two, and those of the first went to the second.
    expect(goodbyes.flat().length).toBeGreaterThanOrEqual(1000);
    expect(new Set(readers.flatMap(({ reasons }) => reasons))).toEqual(new Set(['closed']));
    const shares = goodbyes.map(quarters).join('; ');
    console.log(
      `note: 1000 clients, ${last} batches each; streams that ended in each quarter of the drains: ${shares}`,
    );
  });

  it('are restarted too fast, so that nginx knows of none for a while: nothing is lost all the same', async () => {
    const { url, servers, readers, restart, finish } = await cluster({ clients: 10, drainMs: 2000, maxDelayMs: 2000 });
    for (const server of servers) expectSpread(await restart(server), 2000);
    for (const server of servers) await untilServedBy(url, server.port);
    await finish();
    expect(readers.flatMap(({ reasons }) => reasons)).toContain('http_status');
  });

  it('are restarted as fast as they start with max_fails=0, and no client meets a failure', async () => {
    const { servers, readers, restart, finish } = await cluster({ clients: 50, drainMs: 2000, maxFails: 0 });
    for (const server of servers) expectSpread(await restart(server), 2000);
    await finish();
    expect(new Set(readers.flatMap(({ reasons }) => reasons))).toEqual(new Set(['closed']));
  });
});
