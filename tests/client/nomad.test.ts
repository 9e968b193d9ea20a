import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { streamEvents } from '../../src/client/index.ts';

const indexes = [3, 7, 8, 20, 21, 22, 40];

function line(index: number): string {
  const node = { Topic: 'Node', Type: 'NodeStreamEvent', Key: 'n1', Namespace: '', FilterKeys: null };
  return `${JSON.stringify({ Index: index, Events: [{ ...node, Index: index, Payload: { Node: { ID: 'n1' } } }] })}\n`;
}

/**
 * Answers as Nomad does: no epoch, no bookmarks, no error lines, refusals in plain text; on resuming it repeats the newest batch when
 * nothing newer is there. It ends each stream after two batches.
 */
function answer(request: IncomingMessage, response: ServerResponse, held: readonly number[]): void {
  if (request.headers['x-nomad-token'] !== 'good') {
    response.writeHead(403).end('Permission denied');
    return;
  }
  const from = Number(new URL(request.url ?? '', 'http://nomad.test').searchParams.get('index'));
  const start = held.findIndex((index) => index >= from);
  response.writeHead(200, { 'Content-Type': 'application/json' });
  const batches = held.slice(start < 0 ? -1 : start).slice(0, 2);
  response.end(`{}\n${batches.map(line).join('')}{}\n`);
}

describe('a real Nomad server', () => {
  let server: Server;
  let held: readonly number[];
  let requests: string[];

  beforeEach(async () => {
    held = indexes;
    requests = [];
    server = createServer((request, response) => {
      requests.push(request.url ?? '');
      answer(request, response, held);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const open = (token: string | (() => string)) => {
    const { port } = server.address() as AddressInfo;
    return streamEvents(`http://127.0.0.1:${port}/v1/event/stream`, { token, minDelayMs: 1, maxDelayMs: 2 });
  };

  it('is read across its cuts, each batch once', async () => {
    const seen: number[] = [];
    for await (const { index, events } of open('good')) {
      expect(events).toEqual([
        {
          topic: 'Node',
          type: 'NodeStreamEvent',
          key: 'n1',
          namespace: '',
          filterKeys: [],
          index,
          payload: { Node: { ID: 'n1' } },
        },
      ]);
      seen.push(index);
      if (index === 40) break;
    }
    expect(seen).toEqual(indexes);
    expect(requests[0]).toBe('/v1/event/stream?bookmarks=true&index=0');
    expect(requests[1]).toBe('/v1/event/stream?bookmarks=true&index=7');
  });

  it('that repeats the newest batch while nothing happens is not believed, until something does', async () => {
    held = [3];
    const stream = open('good');
    expect((await stream.next()).value?.index).toBe(3);
    const next = stream.next();
    while (requests.length < 4) await new Promise((resolve) => setImmediate(resolve));
    held = [3, 9];
    expect((await next).value?.index).toBe(9);
    stream.close();
  });

  it('that denies the token is asked once more with a newer one', async () => {
    const tokens = ['bad', 'good'];
    const stream = open(() => tokens.shift() ?? 'good');
    expect((await stream.next()).value?.index).toBe(3);
    stream.close();
  });

  it('that denies the newer token as well ends the stream with what it said', async () => {
    const failure = { code: 'permission_denied', status: 403, message: 'The server answered 403: Permission denied' };
    await expect(open('bad').next()).rejects.toMatchObject(failure);
    expect(requests.length).toBe(2);
  });
});
