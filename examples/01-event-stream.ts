// The server that people start with: Nomad's event stream, fed by a small simulated cluster.
//
//   npm start                               in memory
//   npm start -- --data ./events            kept on disk (needs the package lmdb): restart it and the history is there
//   npm start -- --port 5000 --host 0.0.0.0
import http from 'node:http';
import { parseArgs } from 'node:util';
import { EventBroker, type EventLog } from 'fenceline';
import { explorerHandler } from 'fenceline/explorer';
import { eventStreamHandler, topicsHandler } from 'fenceline/http';
import { nomadTopicsRetaining } from 'fenceline/nomad';
import { endOf } from './cluster/leftovers.ts';
import { startCluster } from './cluster/simulated-cluster.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4646' },
    host: { type: 'string', default: '127.0.0.1' },
    data: { type: 'string' },
  },
});

async function openLog(path: string | undefined): Promise<EventLog | undefined> {
  if (path === undefined) return undefined;
  const { LmdbEventLog } = await import('fenceline/lmdb');
  return LmdbEventLog.open({ path, retention: { maxRecords: 100_000 } });
}

const log = await openLog(values.data);
// What is in the cluster now is kept as state: the newest event of each object, until it is gone. All topics that the
// cluster publishes are named: events of others would come to a reader of the state too, and nothing would remove them.
const topics = nomadTopicsRetaining(['Job', 'Node', 'Allocation', 'Service', 'Deployment', 'Evaluation']);
const broker = new EventBroker({ topics, ...(log ? { log } : {}) });
await broker.ready();
const leftovers = endOf(broker.state({ namespace: '*' }).events);
if (leftovers.length > 0) await broker.publish(leftovers);
const cluster = startCluster(broker);
await cluster.ready;

const stream = eventStreamHandler({ broker });
const listed = topicsHandler({ broker });
const explorer = explorerHandler({ streamUrl: '/v1/event/stream', topicsUrl: '/v1/event/topics' });
const server = http.createServer((request, response) => {
  const path = request.url?.split('?')[0];
  if (path === '/v1/event/stream') void stream(request, response);
  else if (path === '/v1/event/topics') void listed(request, response);
  else if (path === '/') explorer(request, response);
  else response.writeHead(404).end('Not found. Try /v1/event/stream, or / for the explorer.\n');
});

server.on('error', (error) => {
  console.error(`Cannot listen on ${values.host}:${values.port}: ${error.message}`);
  process.exitCode = 1;
  void stop();
});

server.listen(Number(values.port), values.host, () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : values.port;
  const url = `http://${values.host}:${port}`;
  const node = 'ccc4ce56-7f0a-4124-b8b1-a4015aa82c40';
  console.log(`The event stream runs at ${url}/v1/event/stream, a page to look at it at ${url}/

Try, in another terminal:

  curl -sN '${url}/v1/event/stream'
  curl -sN '${url}/v1/event/stream?namespace=*'
  curl -sN '${url}/v1/event/stream?index=100&topic=Evaluation'
  curl -sN -G '${url}/v1/event/stream' --data-urlencode 'topic=Node:${node}' \\
    --data-urlencode 'topic=Deployment' --data-urlencode 'topic=Job:web'
  curl -sN '${url}/v1/event/stream?index=7&topic=Node' | head -2
  curl -sN '${url}/v1/event/stream?topic=Job&namespace=*&state=true'

Stop it with Ctrl-C.`);
});

async function stop(): Promise<void> {
  cluster.stop();
  // Every stream gets the reason as its last line.
  await broker.close();
  await log?.close();
  server.close();
  server.closeIdleConnections();
}
process.once('SIGINT', () => void stop());
process.once('SIGTERM', () => void stop());
