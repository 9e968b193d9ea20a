// The fragments of docs/observability.md, run.
import diagnostics from 'node:diagnostics_channel';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Acl, AclResolver, EventBroker, MemoryAclStore, type DiagnosticsMessages } from 'fenceline';
import { explorerHandler } from 'fenceline/explorer';
import { operatorHandler } from 'fenceline/http';
import { ndjsonFormat } from 'fenceline/ndjson';
import { read } from './documents.ts';

const guide = read('docs/observability.md');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Lets go of the channel after the test. */
function subscribe(name: string, call: (message: unknown) => void): void {
  diagnostics.subscribe(name, call);
  cleanups.push(() => diagnostics.unsubscribe(name, call));
}

function makeBroker(withAcl = false): EventBroker {
  const store = new MemoryAclStore();
  store.upsertToken({ accessorId: 'root', secretId: 'root-secret', type: 'management' });
  const broker = new EventBroker(withAcl ? { acl: new AclResolver({ store }) } : {});
  cleanups.push(() => broker.close());
  return broker;
}

async function statusOf(handler: http.RequestListener, token = ''): Promise<number> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const headers = { Authorization: `Bearer ${token}`, Connection: 'close' };
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { headers });
  // Node's fetch fails by itself, and for nobody to catch, where a connection ends before its answer was read.
  await answer.arrayBuffer();
  return answer.status;
}

const event = { topic: 'Order', type: 'Placed', key: 'o-1', payload: 1 };

describe('the guide about what operators see', () => {
  it('finds the streams that are slow', async () => {
    const broker = makeBroker();
    const printed: string[] = [];
    const console = { log: (text: string) => printed.push(text) };
    const sink = { write: () => false, end: () => undefined, waitingBytes: 5 };
    (await broker.subscribe()).deliverTo(sink, ndjsonFormat);
    await broker.subscribe({ topics: ['Node'] });
    await broker.publish(event);
    const slow = broker.subscriptions().filter(({ state, lag }) => state === 'blocked' || lag > 1000);
    for (const { accessorId, filter, state, lag, waitingBytes } of slow)
      console.log(`${accessorId} reads ${filter}: ${state}, ${lag} indexes behind, ${waitingBytes} bytes wait`);
    expect(printed).toEqual(['undefined reads *:*: blocked, 1 indexes behind, 5 bytes wait']);
  });

  it('names every field of a subscription, and every channel', async () => {
    const broker = makeBroker();
    await broker.subscribe();
    const rows = (pattern: RegExp): readonly string[] =>
      [...guide.matchAll(pattern)].flatMap(([row]) =>
        [...(row.split('|')[1] ?? '').matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name),
      );
    const fields = rows(/^\| `(?:accessorId|filter|reads|state|position|since|waitingBytes)`.*$/gm);
    expect(fields.toSorted()).toEqual(Object.keys(broker.subscriptions()[0] ?? {}).toSorted());
    const channels: readonly (keyof DiagnosticsMessages)[] = [
      'fenceline.publish',
      'fenceline.subscribe',
      'fenceline.deliver',
      'fenceline.revoke',
      'fenceline.gap',
      'fenceline.stall',
      'fenceline.close',
    ];
    expect(rows(/^\| `fenceline\..*$/gm)).toEqual(channels);
  });

  it('listens for the ends of streams', async () => {
    const broker = makeBroker();
    const ends: string[] = [];
    type Ends = DiagnosticsMessages['fenceline.close'];
    subscribe('fenceline.close', (message) => {
      const { broker: teller, accessorId, topics, error } = message as Ends;
      if (teller === broker) ends.push(`${accessorId}, ${topics}: ${error?.code ?? 'none'}`);
    });
    (await broker.subscribe({ topics: ['Order'] })).close();
    await broker.subscribe();
    await broker.close();
    expect(ends).toEqual(['undefined, Order:*: none', 'undefined, *:*: closed']);
  });

  it('mounts the operator’s view', async () => {
    const broker = makeBroker(true);
    const operator = operatorHandler({ broker });
    const explorer = explorerHandler({ streamUrl: '/v1/event/stream', operatorUrl: '/v1/operator/streams' });
    expect(await statusOf(operator, 'root-secret')).toBe(200);
    expect(await statusOf(operator, 'guessed')).toBe(403);
    expect(await statusOf(explorer)).toBe(200);
  });

  it('lets in whom the host lets in, where there is no acl', async () => {
    const broker = makeBroker();
    const open = operatorHandler({ broker, acl: () => Acl.management }); // behind a login of the host's own
    expect(await statusOf(open)).toBe(200);
    expect(await statusOf(operatorHandler({ broker }), 'root-secret')).toBe(403);
  });

  it('guards an endpoint of the host’s own', async () => {
    const broker = makeBroker(true);
    async function metrics(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
      try {
        await broker.requireManagement({ token: request.headers.authorization?.replace(/^Bearer /, '') ?? '' });
        response.end(JSON.stringify(broker.stats()));
      } catch {
        response.writeHead(403).end();
      }
    }
    const handler: http.RequestListener = (request, response) => void metrics(request, response);
    expect([await statusOf(handler, 'root-secret'), await statusOf(handler, 'guessed')]).toEqual([200, 403]);
  });
});
