// Hands events to a worker thread, as fast as the worker works. Run it: npm run example examples/12-worker-threads.ts
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { EventBroker } from 'fenceline';
import { topics } from './orders.ts';

const worker = new Worker(
  `const { parentPort } = require('node:worker_threads');
   let sum = 0;
   parentPort.on('message', ({ events }) => {
     for (const { payload } of events) sum += payload.total;
     parentPort.postMessage(sum);
   });`,
  { eval: true },
);

const broker = new EventBroker({ topics });
const subscription = await broker.subscribe({ topics: ['Order'] });
for (let n = 1; n <= 100; n++) {
  await broker.publish({
    topic: 'Order',
    type: 'OrderPlaced',
    key: `o-${n}`,
    namespace: 'default',
    payload: { id: `o-${n}`, total: n },
  });
}

// The loop asks for the next batch when the worker has answered: the backlog waits in the broker's buffer, bounded, not
// in the worker's mailbox.
for await (const batch of subscription) {
  worker.postMessage(batch);
  const [sum] = (await once(worker, 'message')) as [number];
  if (batch.index === 100) {
    console.log(`the worker's sum: ${sum}`);
    break;
  }
}

await worker.terminate();
await broker.close();
