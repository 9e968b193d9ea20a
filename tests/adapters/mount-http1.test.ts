import { Agent } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';

import { LineReader } from './line-reader.ts';
import { jobEvent, mountedBroker, subscriptionsAre, wireJob } from './mounted-broker.ts';
import { mounts } from './mounts.ts';

const http1Mounts = mounts.filter(({ protocol }) => protocol === 'http1');

describe.each(http1Mounts)('over HTTP/1.1, $name', (mount) => {
  it('serves a stream on the connection on which errors were answered', async () => {
    const { broker, client, server } = await mountedBroker(mount);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    for (const asked of [{ query: '?index=soon' }, { method: 'POST' }, { method: 'OPTIONS' }]) {
      const { status, body } = await client.ask({ ...asked, agent });
      await body.rest();
      expect(status).toBeGreaterThan(0);
    }
    await broker.publish(jobEvent(1));
    const { status, body } = await client.ask({ agent });
    expect(status).toBe(200);
    expect(await body.objects(2)).toEqual([{}, wireJob(1, 1)]);
    expect(server.accepted).toBe(1);
    await broker.close();
    expect(await body.object()).toMatchObject({ Error: { Code: 'closed' } });
    const after = await client.ask({ agent });
    expect(after.status).toBe(503);
  });

  it('serves a stream that was asked for before the error ahead of it was answered', async () => {
    const { broker, server } = await mountedBroker(mount);
    await broker.publish(jobEvent(1));
    const socket = connect(server.port, '127.0.0.1');
    const host = `Host: 127.0.0.1:${server.port}`;
    const heads = [`OPTIONS ${mount.path}`, `GET ${mount.path}?index=soon`, `GET ${mount.path}`];
    socket.write(heads.map((head) => `${head} HTTP/1.1\r\n${host}\r\n\r\n`).join(''));
    const reader = new LineReader(socket);
    const read: string[] = [];
    while (read.at(-1)?.startsWith('{"Index"') !== true) {
      const line = (await reader.line()) ?? '{"Index":"the end"}';
      if (/^HTTP|^\{/.test(line)) read.push(line.replace('\r', ''));
    }
    expect(read.filter((line) => line.startsWith('HTTP')).map((line) => line.slice(9, 12))).toEqual([
      '204',
      '400',
      '200',
    ]);
    expect(JSON.parse(read.at(-1) ?? '')).toEqual(wireJob(1, 1));
    reader.leave();
    await subscriptionsAre(broker, 0);
  });

  it('serves HTTP/1.0 clients without chunks', async () => {
    const { broker, server } = await mountedBroker(mount);
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`GET ${mount.path} HTTP/1.0\r\n\r\n`);
    const reader = new LineReader(socket);
    const head: (string | undefined)[] = [];
    for (let line = await reader.line(); line !== '\r'; line = await reader.line()) head.push(line);
    expect(head[0]).toBe('HTTP/1.1 200 OK\r');
    expect(head.join('\n').toLowerCase()).not.toContain('transfer-encoding');
    expect(await reader.object()).toEqual({});
    await broker.publish(jobEvent('é'.repeat(10)));
    expect(await reader.object()).toEqual(wireJob(1, 'é'.repeat(10)));
    await broker.close();
    expect(await reader.object()).toMatchObject({ Error: { Code: 'closed' } });
    expect(await reader.line()).toBeUndefined();
  });
});
