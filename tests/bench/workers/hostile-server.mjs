// A server for `hostile`, and what it spends. One message starts it, each further one begins or ends a measurement.
import http from 'node:http';
import { AclResolver, defineRights, defineTopics, EventBroker, MemoryAclStore } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { cpuSeconds } from './cpu.mjs';

const rights = defineRights({ namespace: { capabilities: ['read'] } });
const open = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`Topic${i}`, { requires: 'anyone' }]));
const topics = defineTopics({ Order: { requires: { namespace: 'read' } }, ...open }, { rights });

/** Batches of 2 KB that a reader with rights gets at once. */
const BACKLOG = 2000;

let before;

/** @param step `'start'` answers with the port, `'begin'`, and `'end'` with what was spent since */
export async function measure({ step, subject }) {
  if (step === 'start') return { port: await start(subject) };
  if (step === 'begin') before = await spent();
  const now = await spent();
  return { cpuSeconds: now.cpuSeconds - before.cpuSeconds, bytes: now.bytes - before.bytes };
}

async function start(subject) {
  const handler = subject === 'bare' ? refuse : await streams();
  const server = http.createServer(handler);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

/** What a refusal costs when nothing is looked at: Node's own share. */
function refuse(_request, response) {
  response.writeHead(403, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end('{"Error":{"Code":"permission_denied","Message":"Permission denied.","Retry":"resubscribe"}}\n');
}

/** Everybody may read `Topic0` to `Topic99`; an `Order` needs a token. */
async function streams() {
  const store = new MemoryAclStore({ rights });
  store.upsertPolicy({ name: 'reader', rules: { namespace: { default: { capabilities: ['read'] } } } });
  store.upsertPolicy({ name: 'anonymous', rules: { namespace: { none: { capabilities: [] } } } });
  store.upsertToken({ accessorId: 'a', secretId: 'a-secret', type: 'client', policies: ['reader'] });
  const broker = new EventBroker({ topics, acl: new AclResolver({ store, rights }), stalledMs: 600_000 });
  for (let n = 0; n < BACKLOG; n++) {
    const payload = { text: 'x'.repeat(2000) };
    await broker.publish({ topic: 'Topic0', type: 'Made', key: 'k', namespace: 'default', payload });
  }
  return eventStreamHandler({ broker });
}

/** Memory of the process, the kernel's buffers not counted, after the collector ran. */
async function spent() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external } = process.memoryUsage();
  return { cpuSeconds: cpuSeconds(), bytes: heapUsed + external };
}
