// Several servers, one order: run it twice, on two ports, against one nats-server with JetStream.
//
//   nats-server -js &
//   PORT=4646 npm run example examples/15-jetstream.ts
//   PORT=4647 npm run example examples/15-jetstream.ts
//
// A client that is moved from one to the other resumes there: indexes and epoch are the log's.
import http from 'node:http';
import { connect } from '@nats-io/transport-node';
import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { JetStreamEventLog } from 'fenceline/jetstream';
import { takeOrders, topics } from './orders.ts';
import { serve } from './serving.ts';

const connection = await connect({ servers: process.env['NATS_URL'] ?? '127.0.0.1:4222', maxReconnectAttempts: -1 });
const log = await JetStreamEventLog.open({ connection, stream: 'orders' });
const broker = new EventBroker({ topics, log });
takeOrders(broker);
serve(http.createServer(eventStreamHandler({ broker })), broker);
