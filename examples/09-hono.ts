// In Hono, here on Node. Run it: npm run example examples/09-hono.ts
import http from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { EventBroker } from 'fenceline';
import { honoEventStream } from 'fenceline/hono';
import { Hono } from 'hono';
import { takeOrders, topics } from './orders.ts';
import { serve } from './serving.ts';

const broker = new EventBroker({ topics });
takeOrders(broker);

const app = new Hono();
app.all('/v1/event/stream', honoEventStream({ broker }));
const handle = getRequestListener(app.fetch);
serve(
  http.createServer((request, response) => void handle(request, response)),
  broker,
);
