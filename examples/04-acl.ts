// Who may see what, and a stream that ends when that changes. Run it: npm run example examples/04-acl.ts
import http from 'node:http';
import { AclResolver, EventBroker, MemoryAclStore } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { nomadEvents, nomadRights, nomadTopics } from 'fenceline/nomad';
import { startCluster } from './cluster/simulated-cluster.ts';
import { serve } from './serving.ts';

const store = new MemoryAclStore();
await store.upsertPolicy({ name: 'default-readers', rules: { namespace: { default: { policy: 'read' } } } });
await store.upsertPolicy({
  name: 'operators',
  rules: { namespace: { '*': { policy: 'read' } }, node: { policy: 'read' } },
});
store.upsertRole({ id: 'r-tenant', name: 'tenant', policies: [{ name: 'default-readers' }] });
store.upsertToken({ accessorId: 'a-root', secretId: 'root-secret', type: 'management', policies: [], roles: [] });
store.upsertToken({
  accessorId: 'a-operator',
  secretId: 'operator-secret',
  type: 'client',
  policies: ['operators'],
  roles: [],
});
store.upsertToken({
  accessorId: 'a-tenant',
  secretId: 'tenant-secret',
  type: 'client',
  policies: [],
  roles: [{ id: 'r-tenant' }],
});

const broker = new EventBroker({ topics: nomadTopics, acl: new AclResolver({ rights: nomadRights, store }) });
broker.on('denied', ({ topics, cause }) => console.log(`denied: ${topics}: ${cause}`));
broker.on('revoked', ({ accessorId, error }) => console.log(`revoked: ${accessorId}: ${error.code}`));
const cluster = startCluster(broker);

const stream = eventStreamHandler({ broker });
const server = http.createServer((request, response) => {
  if (request.method === 'DELETE' && request.url?.startsWith('/v1/acl/policy/')) {
    const name = request.url.slice('/v1/acl/policy/'.length);
    // The store first, then the event: in one step.
    const event = nomadEvents.aclPolicyDeleted({ Name: name });
    broker.publish(event, { commit: () => store.deletePolicy(name) }).then(
      (index) => response.end(`${name} was deleted at index ${index}\n`),
      (error: Error) => response.writeHead(400).end(`${error.message}\n`),
    );
  } else void stream(request, response);
});
await cluster.ready;
console.log(`Stream as the tenant, as an operator, as root; without the token it is 403.
Then, in another terminal, delete the policy:
  -H 'X-Nomad-Token: tenant-secret'      ?topic=Job
  -H 'X-Nomad-Token: operator-secret'    ?topic=Node
  -H 'X-Nomad-Token: root-secret'
  curl -X DELETE http://127.0.0.1:4646/v1/acl/policy/default-readers
`);
serve(server, broker, '/v1/event/stream?topic=Job');
