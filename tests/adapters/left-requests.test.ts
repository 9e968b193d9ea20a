import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';

import { eventStreamHandler, type NodeRequest } from '../../src/adapters/http.ts';
import type { NodeResponse } from '../../src/adapters/response-sink.ts';
import { deferred } from '../../src/testing/deferred.ts';
import type { EventBroker, Subscription } from '../../src/index.ts';
import { LineReader } from './line-reader.ts';
import { indexOf, jobEvent, LARGE_BYTES, mountedBroker, subscriptionsAre, wireJob } from './mounted-broker.ts';
import { MountedServer } from './mounted-server.ts';
import { forNode, mounts, type Mount } from './mounts.ts';

type Handle = (request: NodeRequest, response: NodeResponse) => unknown;

/** What a host does with a request around the handler of the stream. */
type Host = (handle: Handle) => Handle;

const path = '/';
const host = '127.0.0.1';

/** Servers that hand requests on in a way of the test's. */
const servers = [
  {
    protocol: 'http1',
    listening: (handle: Handle) => createServer(handle as RequestListener).listen(0, host),
  },
  { protocol: 'http2', listening: (handle: Handle) => createHttp2Server(handle).listen(0, host) },
] as const;

describe.each(servers)('over $protocol, a request', ({ protocol, listening }) => {
  const mountedBy = (around: Host): Mount => ({
    name: protocol,
    protocol,
    path,
    start: (options) => MountedServer.listening(listening(around(eventStreamHandler(forNode(options))))),
  });

  it('that comes to the handler after its client has left opens no subscription', async () => {
    const [arrived, handled] = [deferred(), deferred()];
    const mount = mountedBy((handle) => (request, response) => {
      response.once('close', () => {
        handle(request, response);
        handled.resolve();
      });
      arrived.resolve();
    });
    const { broker, client } = await mountedBroker(mount);
    const opened = subscriptionsOf(broker);
    const sent = client.send();
    await arrived.promise;
    sent.leave();
    await handled.promise;
    // Takes the same way after it, so that it would have been opened by now.
    const later = await broker.subscribe();
    expect(opened).toEqual([later]);
  });

  it('that the host has answered meanwhile keeps that answer and frees its subscription', async () => {
    const answered = deferred();
    const mount = mountedBy((handle) => (request, response) => {
      handle(request, response);
      response.writeHead(504);
      response.end('too late', () => answered.resolve());
    });
    const { broker, client } = await mountedBroker(mount);
    const { status, body } = await client.ask();
    expect(status).toBe(504);
    expect(await body.rest()).toBe('too late');
    await answered.promise;
    await subscriptionsAre(broker, 0);
  });
});

const http1Mounts = mounts.filter(({ protocol }) => protocol === 'http1');

describe.each(http1Mounts)('over HTTP/1.1, $name, a stream behind another on its connection', (mount) => {
  it('is written when that one has ended, all of it', async () => {
    const { broker, server } = await mountedBroker(mount);
    const first = await pipelined(broker, server, mount);
    for (let n = 1; n <= 12; n++) await broker.publish(jobEvent('x'.repeat(LARGE_BYTES)));
    first.subscription.close();
    for (let n = 1; n <= 12; n++) expect(indexOf(await nextBatch(first.reader))).toBe(n);
    await broker.publish(jobEvent('live'));
    expect(JSON.parse(await nextBatch(first.reader))).toEqual(wireJob(13, 'live'));
  });
});

describe.each(http1Mounts)('over HTTP/1.1, $name, a stream behind another on its connection', (mount) => {
  it('is not subscribed for until that one has ended, nor when the client leaves', async () => {
    const { broker, server } = await mountedBroker(mount);
    const opened = subscriptionsOf(broker);
    const first = await pipelined(broker, server, mount);
    first.reader.leave();
    await subscriptionsAre(broker, 0);
    expect(opened).toEqual([first.subscription]);
  });

  it('is one of 5,000 on a connection: one is served, the connection closes, nothing stays', async () => {
    const { broker, server } = await mountedBroker(mount);
    const opened = subscriptionsOf(broker);
    const warnings: Error[] = [];
    const warn = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', warn);
    onTestFinished(() => void process.off('warning', warn));
    const socket = connect(server.port, host);
    onTestFinished(() => void socket.destroy());
    // A server that closes while more is sent resets the connection.
    const closed = new Promise((resolve) => socket.on('close', resolve).on('error', resolve));
    socket.resume();
    socket.write(`GET ${mount.path}?topic=Job HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(5000));
    await closed;
    await subscriptionsAre(broker, 0);
    expect(warnings).toEqual([]);
    expect(opened.length).toBeLessThanOrEqual(1);
  });
});

/** The next line that is a batch, past headers and the lines that frame chunks. */
async function nextBatch(reader: LineReader): Promise<string> {
  let line = await reader.line();
  while (line?.startsWith('{"Index"') === false) line = await reader.line();
  return line ?? '';
}

/** Two streams, asked for at once on one connection; the first is of a topic that nobody publishes. */
async function pipelined(
  broker: EventBroker,
  server: MountedServer,
  mount: Mount,
): Promise<{ readonly reader: LineReader; readonly subscription: Subscription }> {
  const opened = subscriptionsOf(broker);
  const socket = connect(server.port, host);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(
    ['?topic=None', '?topic=Job']
      .map((query) => `GET ${mount.path}${query} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      .join(''),
  );
  await subscriptionsAre(broker, 1);
  const subscription = opened[0];
  if (subscription === undefined) throw new Error('No subscription was opened.');
  return { reader: new LineReader(socket), subscription };
}

/** Those that are opened from now on. */
function subscriptionsOf(broker: EventBroker): Subscription[] {
  const opened: Subscription[] = [];
  broker.on('subscribe', ({ subscription }) => void opened.push(subscription));
  return opened;
}
