// In Express 5. Run it: npm run example examples/06-express.ts
import http from 'node:http';
import express from 'express';
import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { takeOrders, topics } from './orders.ts';
import { serve } from './serving.ts';

const broker = new EventBroker({ topics });
takeOrders(broker);

const app = express();
app.all('/v1/event/stream', eventStreamHandler({ broker }));
serve(http.createServer(app), broker);
