// A server of drain.mjs, in a process of its own: says where it listens, and on SIGTERM drains and ends, which it says
// too.
import http from 'node:http';

import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';

const broker = new EventBroker();
await broker.publish({ topic: 'Order', type: 'OrderPlaced', key: 'o1', payload: 1 });
const server = http.createServer(eventStreamHandler({ broker }));
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));

process.once('SIGTERM', () => {
  server.close();
  void broker.close({ drainMs: 100 });
});
// Not where a signal ends it.
process.once('exit', (code) => console.log(`exit ${code}`));
