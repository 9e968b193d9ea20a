// A page that reads the stream with the browser's own EventSource. Run it: npm run example examples/10-browser-page.ts
import http from 'node:http';
import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { takeOrders, topics } from './orders.ts';
import { serve } from './serving.ts';

const page = `<!doctype html>
<title>Orders</title>
<ol id="orders"></ol>
<script>
  const list = document.querySelector('#orders');
  const source = new EventSource('/v1/event/stream?topic=Order');
  source.onmessage = ({ data }) => {
    for (const { Key, Payload } of JSON.parse(data).Events)
      list.append(Object.assign(document.createElement('li'), { textContent: Key + ' for ' + Payload.total }));
  };
  source.addEventListener('gap', ({ data }) => list.append('missing: ' + data));
</script>
`;

const broker = new EventBroker({ topics });
takeOrders(broker);
const stream = eventStreamHandler({ broker });
const server = http.createServer((request, response) => {
  if (request.url === '/') response.setHeader('Content-Type', 'text/html').end(page);
  else void stream(request, response);
});
serve(server, broker);
