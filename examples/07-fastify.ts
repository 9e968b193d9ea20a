// In Fastify 5. Run it: npm run example examples/07-fastify.ts
import { fastify } from 'fastify';
import { EventBroker } from 'fenceline';
import { fastifyEventStream } from 'fenceline/fastify';
import { takeOrders, topics } from './orders.ts';
import { port, serve } from './serving.ts';

const broker = new EventBroker({ topics });
takeOrders(broker);

const app = fastify();
await app.register(fastifyEventStream, { broker });
await app.listen({ port, host: '127.0.0.1' });
serve(app.server, broker);
