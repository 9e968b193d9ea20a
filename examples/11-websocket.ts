// A transport of your own: WebSocket, with `ws`. Run it: npm run example examples/11-websocket.ts
//
// A client sends {"topics":["Order:o-7"],"index":0} to subscribe, and again to change its topics on the live socket; it
// gets the lines of the protocol, one or more to a message. Close code 4403: the rights were taken away; 4400: the
// request was wrong; 1012: the server restarts.
import http from 'node:http';
import { BrokerError, EventBroker, type ByteSink, type Subscription } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { WebSocketServer, type WebSocket } from 'ws';
import { takeOrders, topics } from './orders.ts';
import { serve } from './serving.ts';

/** What may wait in a socket before its subscription reads on from its position instead. */
const MAX_WAITING_BYTES = 256 * 1024;

const broker = new EventBroker({ topics });
takeOrders(broker);
const server = http.createServer();
const sockets = new WebSocketServer({ server, maxPayload: 16 * 1024 });

sockets.on('connection', (socket) => {
  let current: Subscription<never> | Subscription | undefined;
  let turn = Promise.resolve();
  const change = async (text: string): Promise<void> => {
    current?.close();
    current = await subscribe(socket, text);
    if (socket.readyState !== socket.OPEN) current.close();
  };
  // One request after the other: the newest stands.
  socket.on('message', (data) => {
    turn = turn.then(() => change(String(data))).catch((error: unknown) => end(socket, BrokerError.from(error)));
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => current?.close());
});

async function subscribe(socket: WebSocket, text: string): Promise<Subscription> {
  const request = parse(text);
  const subscription = (await broker.subscribe({
    ...request,
    topics: request.topics as readonly 'Order'[],
  })) as unknown as Subscription;
  const sink: ByteSink = {
    write(chunk) {
      // Called back when the bytes have left: that is this transport's drain.
      socket.send(chunk, { binary: false }, () => {
        if (socket.bufferedAmount <= MAX_WAITING_BYTES) delivery.drained();
      });
      return socket.bufferedAmount <= MAX_WAITING_BYTES;
    },
    end(last) {
      if (last) socket.send(last, { binary: false });
      if (subscription.error) end(socket, subscription.error);
    },
  };
  const delivery = subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
  return subscription;
}

function parse(text: string): { topics: readonly string[]; index: number } {
  try {
    const { topics, index } = JSON.parse(text) as { topics?: unknown; index?: unknown };
    return { topics: Array.isArray(topics) ? topics.map(String) : ['Order'], index: Number(index ?? 0) };
  } catch {
    throw new BrokerError('bad_request', 'A message must be JSON: {"topics":["Order"],"index":0}.');
  }
}

function end(socket: WebSocket, error: BrokerError): void {
  socket.close(closeCode(error), error.code);
}

function closeCode({ status, code }: BrokerError): number {
  if (code === 'closed') return 1012;
  return status === 403 ? 4403 : 4400;
}

serve(server, broker, '/ (as a WebSocket)');
