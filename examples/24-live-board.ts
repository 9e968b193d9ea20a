// A live board of open orders in the browser. Run it: npm run example examples/24-live-board.ts
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { moveOrders, topics } from './open-orders.ts';
import { serve } from './serving.ts';

const page = `<!doctype html>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Open orders</title>
<h1>Open orders</h1>
<p id="state">connecting</p>
<ul id="board"></ul>
<script>
  const [board, state] = [document.querySelector('#board'), document.querySelector('#state')];
  const items = new Map();
  const show = ({ Key, Payload }) => {
    if (!items.has(Key)) items.set(Key, board.appendChild(document.createElement('li')));
    items.get(Key).textContent = Key + ' for ' + Payload.customer + ': ' + Payload.step;
  };
  const remove = (key) => {
    items.get(key)?.remove();
    items.delete(key);
  };

  // The browser connects again by itself, and says where it was: it gets what changed meanwhile.
  const source = new EventSource('/v1/event/stream?topic=Order&state=true');
  source.onmessage = ({ data }) => {
    const { Events, Removed = [] } = JSON.parse(data);
    for (const event of Events) show(event);
    for (const { Key } of Removed) remove(Key);
  };
  source.addEventListener('current', () => (state.textContent = 'current'));
  source.addEventListener('gap', ({ data }) => {
    // The state begins anew: what is on the board counts no more.
    if (!['state', 'restarted', 'ahead'].includes(JSON.parse(data).Reason)) return;
    state.textContent = 'reading';
    for (const key of [...items.keys()]) remove(key);
  });
</script>
`;

const broker = new EventBroker({ topics });
moveOrders(broker);
const stream = eventStreamHandler({ broker });
const server = http.createServer((request, response) => {
  if (request.url === '/') response.setHeader('Content-Type', 'text/html').end(page);
  else void stream(request, response);
});
server.once('listening', () => console.log(`The board: http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
serve(server, broker, '/v1/event/stream?topic=Order&state=true');
