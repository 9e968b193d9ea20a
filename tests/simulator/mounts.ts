import http from 'node:http';
import type { Acl } from '../../src/acl/acl.ts';
import { fetchHandler, type FetchHandler } from '../../src/adapters/fetch.ts';
import { type EventStreamHandler, eventStreamHandler, type StreamSource } from '../../src/adapters/http.ts';
import type { SubscribePin } from '../../src/core/broker/pin.ts';
import type { Mount, WireRequest } from './network.ts';
import type { RightsStore } from './rights-store.ts';
import { ServerSocket } from './server-socket.ts';
import type { Wire } from './wire.ts';

export const HEARTBEAT_MS = 5000;

/** One for tokens, one for users whom the host knows by itself. */
interface Handlers<Handler> {
  readonly byToken: Handler;
  readonly byUser: Handler;
}

/** Where requests come in: Node's HTTP server, and a runtime that speaks fetch. */
export class Mounts {
  readonly #server: http.Server;
  readonly #fetch: Handlers<FetchHandler>;

  constructor(broker: StreamSource, store: RightsStore) {
    const [auto, response] = [nodeHandlers(broker, store, 'auto'), nodeHandlers(broker, store, 'response')];
    this.#server = http.createServer((request, answer) => {
      const { byToken, byUser } = request.headers['x-mount'] === 'response' ? response : auto;
      void (request.headers['x-user'] === undefined ? byToken : byUser)(request, answer);
    });
    this.#fetch = fetchHandlers(broker, store);
  }

  serve(mount: Mount, wire: Wire, request: WireRequest): void {
    if (mount === 'fetch') return void this.#serveFetch(wire, request);
    const headers = Object.entries({ ...request.headers, Host: 'host', Connection: 'close', 'x-mount': mount });
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.#server.emit('connection', new ServerSocket(wire, `GET ${request.path} HTTP/1.1\r\n${lines}\r\n`));
  }

  async #serveFetch(wire: Wire, { path, headers }: WireRequest): Promise<void> {
    const gone = new AbortController();
    wire.onHangUp = () => gone.abort();
    const handler = headers['x-user'] === undefined ? this.#fetch.byToken : this.#fetch.byUser;
    const response = await handler(new Request(`http://host${path}`, { headers, signal: gone.signal }));
    await sendOver(wire, response, gone.signal);
  }
}

function nodeHandlers(
  broker: StreamSource,
  store: RightsStore,
  writer: 'auto' | 'response',
): Handlers<EventStreamHandler<http.IncomingMessage>> {
  const pin = ({ headers }: http.IncomingMessage) => pinOf(headers['x-scope']);
  const shared = { broker, writer, pin, heartbeatMs: HEARTBEAT_MS };
  const acl = ({ headers }: http.IncomingMessage): Promise<Acl> => store.rightsOf(String(headers['x-user']));
  return {
    byToken: eventStreamHandler<http.IncomingMessage>(shared),
    byUser: eventStreamHandler<http.IncomingMessage>({ ...shared, acl }),
  };
}

function fetchHandlers(broker: StreamSource, store: RightsStore): Handlers<FetchHandler> {
  const pin = ({ headers }: Request) => pinOf(headers.get('x-scope'));
  const shared = { broker, pin, heartbeatMs: HEARTBEAT_MS };
  const acl = ({ headers }: Request): Promise<Acl> => store.rightsOf(headers.get('x-user') ?? '');
  return { byToken: fetchHandler(shared), byUser: fetchHandler({ ...shared, acl }) };
}

const pinOf = (scope: unknown): SubscribePin | undefined => (scope === 'allowed' ? { scope } : undefined);

/** What a runtime that speaks fetch does with a handler's answer. */
async function sendOver(wire: Wire, { status, headers, body }: Response, gone: AbortSignal): Promise<void> {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const send = (text: string | Uint8Array): Promise<void> =>
    new Promise((resolve) => wire.send(Buffer.from(text as string), resolve));
  await send(`HTTP/1.1 ${status} Whatever\r\n${lines}Transfer-Encoding: chunked\r\n\r\n`);
  const reader = body?.getReader();
  gone.addEventListener('abort', () => void reader?.cancel().catch(() => undefined));
  if (gone.aborted) void reader?.cancel();
  try {
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
      await send(`${read.value.length.toString(16)}\r\n`);
      await send(read.value);
      await send('\r\n');
    }
    await send('0\r\n\r\n');
    wire.finish();
  } catch {
    wire.cut();
  }
}
