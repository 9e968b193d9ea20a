// "My orders": a topic with a rule of its own. Whose an order is stands in it, and no namespace or key says so.
// In Hono. Run it: npm run example examples/18-own-orders.ts
import type { Server } from 'node:http';
import { serve as serveHono } from '@hono/node-server';
import { Acl, AclDenial, defineTopics, EventBroker, payloadOf, type Event } from 'fenceline';
import { honoEventStream } from 'fenceline/hono';
import { Hono } from 'hono';
import { port, serve } from './serving.ts';
import { takeOrdersOf, type Order } from './shop.ts';

interface Claims {
  readonly userId: string;
}

const topics = defineTopics({
  Order: {
    payload: payloadOf<Order>(),
    requires: 'anyone',
    // Asked once for all streams of one user, since their claims are equal.
    visible: ({ userId }: Claims, { payload }: Event<string, Order>) => payload.owner === userId,
  },
});
const broker = new EventBroker({ topics });
broker.on('ruleFailed', ({ topic, error }) => console.error(`The rule of ${topic} failed: ${String(error)}`));
takeOrdersOf(broker);

const app = new Hono<{ Variables: { userId: string } }>();
app.use('/events', async (context, next) => {
  // Here a session would be looked up.
  context.set('userId', context.req.header('x-user') ?? '');
  await next();
});
app.get(
  '/events',
  honoEventStream({
    broker,
    acl: (context) => {
      const userId = context.get('userId');
      if (userId === '') throw new AclDenial('unknown');
      return Acl.fromRules([], { accessorId: userId, claims: { userId } });
    },
    // Whoever asks for more gets no more: what is pinned is all there is.
    pin: () => ({ topics: ['Order'], namespace: '*' }),
  }),
);
console.log(`Each sees their own orders: -H 'x-user: alice', or bob, or carol. Without it is a 403.`);
serve(serveHono({ fetch: app.fetch, port, hostname: '127.0.0.1' }) as Server, broker, '/events');
