// Tries what a bundler made of all entries, for servers: publishes and reads, in process and over HTTP, and asks for
// what needs an optional package, which is not there.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';

/** @param all the modules of the package, by name */
export async function tryOut(all) {
  await inProcess(all);
  await overHttp(all);
  await withoutPackages(all);
}

async function inProcess({ main, nomad }) {
  const { broker } = guardedBroker(main, nomad);
  await assert.rejects(broker.subscribe({ topics: ['Job'] }), { code: 'permission_denied' });
  const subscription = await broker.subscribe({ topics: ['Job'], token: 'secret' });
  await broker.publish(jobRegistered);
  assert.equal(subscription.poll().events[0].key, 'web');
  await broker.close();
}

async function overHttp({ main, http: mount, client, nomad, explorer }) {
  const { broker } = guardedBroker(main, nomad);
  const page = explorer.explorerHandler();
  const stream = mount.eventStreamHandler({ broker });
  const server = http.createServer((request, response) => (request.url === '/' ? page : stream)(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  assert.match(await (await fetch(url)).text(), /<html/);
  await broker.publish(jobRegistered);
  for await (const { events } of client.streamEvents(`${url}/stream`, { topics: ['Job'], token: 'secret' })) {
    assert.equal(events[0].payload.Job.ID, 'web');
    break;
  }
  await broker.close();
  server.close();
}

async function withoutPackages({ main, nomad, lmdb, jetstream }) {
  const missing = (name) => ({ code: 'not_supported', message: new RegExp(`npm install ${name}`) });
  const { store } = guardedBroker(main, nomad);
  const policy = { name: 'hcl', rules: 'node { policy = "read" }' };
  await assert.rejects(async () => store.upsertPolicy(policy), missing('@cdktn/hcl2json'));
  await assert.rejects(lmdb.LmdbEventLog.open({ path: 'log' }), missing('lmdb'));
  const connection = {
    isClosed: () => false,
    options: {},
    status: async function* () {},
    publish() {},
    subscribe() {},
  };
  await assert.rejects(jetstream.JetStreamEventLog.open({ connection, stream: 's' }), missing('@nats-io/jetstream'));
}

const jobRegistered = {
  topic: 'Job',
  type: 'JobRegistered',
  key: 'web',
  namespace: 'default',
  payload: { Job: { ID: 'web' } },
};

function guardedBroker(main, { nomadRights, nomadTopics }) {
  const store = new main.MemoryAclStore({ rights: nomadRights });
  store.upsertPolicy({ name: 'reader', rules: { namespace: { default: { policy: 'read' } } } });
  store.upsertToken({ accessorId: 'a', secretId: 'secret', type: 'client', policies: ['reader'] });
  const acl = new main.AclResolver({ store, rights: nomadRights });
  return { store, broker: new main.EventBroker({ topics: nomadTopics, acl }) };
}
