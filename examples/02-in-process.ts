// In one process: publish, subscribe, read. Run it: npm run example examples/02-in-process.ts
import { EventBroker } from 'fenceline';
import { topics } from './orders.ts';

const broker = new EventBroker({ topics });

const large = await broker.subscribe({ topics: ['Order'] });
await broker.publish([
  { topic: 'Order', type: 'OrderPlaced', key: 'o-1', namespace: 'default', payload: { id: 'o-1', total: 12 } },
  { topic: 'Order', type: 'OrderPlaced', key: 'o-2', namespace: 'default', payload: { id: 'o-2', total: 90 } },
]);
await broker.publish({
  topic: 'Order',
  type: 'OrderPlaced',
  key: 'o-3',
  namespace: 'default',
  payload: { id: 'o-3', total: 70 },
});

// Synchronous: what waits now.
console.log(
  'poll:',
  large.poll()?.events.map(({ key }) => key),
);

// Or as it comes, until the loop is left.
for await (const { index, events } of large) {
  for (const { key, payload } of events) console.log(`batch ${index}: ${key} for ${payload.total}`);
  break;
}

await broker.close();
