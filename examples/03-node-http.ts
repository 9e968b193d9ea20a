// On node:http, at any path. Run it: npm run example examples/03-node-http.ts
import http from 'node:http';
import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { takeOrders, topics } from './orders.ts';
import { serve } from './serving.ts';

const broker = new EventBroker({ topics });
takeOrders(broker);
serve(http.createServer(eventStreamHandler({ broker })), broker);
