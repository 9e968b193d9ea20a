// In Koa 3. Run it: npm run example examples/08-koa.ts
import http from 'node:http';
import { EventBroker } from 'fenceline';
import { koaEventStream } from 'fenceline/koa';
import Koa from 'koa';
import { takeOrders, topics } from './orders.ts';
import { serve } from './serving.ts';

const broker = new EventBroker({ topics });
takeOrders(broker);

const app = new Koa();
app.use(koaEventStream({ broker }));
const handle = app.callback();
serve(
  http.createServer((request, response) => void handle(request, response)),
  broker,
);
