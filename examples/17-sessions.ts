// Sessions with tenants and roles, in Fastify. A user sees all tenants that are theirs without naming them; who is
// given a role, or loses one, sees the difference in the open stream. Run it: npm run example examples/17-sessions.ts
import { randomUUID } from 'node:crypto';
import fastify, { type FastifyRequest } from 'fastify';
import { Acl, AclDenial, EventBroker, type PolicyRules } from 'fenceline';
import { fastifyEventStream } from 'fenceline/fastify';
import { rights, shopTopics, takeOrdersOf } from './shop.ts';
import { port, onStop } from './serving.ts';

type Role = 'clerk' | 'auditor';
const capabilities = { clerk: ['read-orders'], auditor: ['read-orders', 'read-audit'] } as const;

/** The rows of a database: who is logged in, and who is what where. */
const sessions = new Map<string, string>();
const roles = new Map<string, Map<string, Role>>([
  ['alice', new Map([['acme', 'clerk']])],
  [
    'carol',
    new Map([
      ['acme', 'clerk'],
      ['beta', 'auditor'],
    ]),
  ],
]);

function aclOf(request: FastifyRequest): Acl {
  const user = sessions.get(String(request.headers['x-session']));
  if (user === undefined) throw new AclDenial('unknown');
  const namespace = Object.fromEntries(
    [...(roles.get(user) ?? [])].map(([tenant, role]) => [tenant, { capabilities: capabilities[role] }]),
  );
  return Acl.fromRules([{ namespace } satisfies PolicyRules], { accessorId: user, rights });
}

const broker = new EventBroker({ topics: shopTopics });
takeOrdersOf(broker);

const app = fastify();
await app.register(fastifyEventStream, { broker, path: '/events', acl: aclOf, pin: () => ({ scope: 'allowed' }) });
app.post<{ Params: { user: string } }>('/login/:user', ({ params }) => {
  const session = randomUUID();
  sessions.set(session, params.user);
  return { session };
});
app.put<{ Params: { user: string; tenant: string; role: Role | 'none' } }>(
  '/roles/:user/:tenant/:role',
  async ({ params: { user, tenant, role } }) => {
    const ofUser = roles.get(user) ?? new Map<string, Role>();
    roles.set(user, ofUser);
    if (role === 'none') ofUser.delete(tenant);
    else ofUser.set(tenant, role);
    // Saved first, then told: from here on the open streams of this user show what they may see now.
    await broker.aclChanged({ token: user });
    return { [user]: Object.fromEntries(ofUser) };
  },
);
console.log(`Log in, stream with the session, and in another terminal give and take a role in another tenant.
  curl -X POST http://127.0.0.1:4646/login/alice
  curl -sN -H 'x-session: <session>' http://127.0.0.1:4646/events
  curl -X PUT http://127.0.0.1:4646/roles/alice/beta/clerk
  curl -X PUT http://127.0.0.1:4646/roles/alice/beta/none
`);
console.log(`curl -sN '${await app.listen({ port, host: '127.0.0.1' })}/events'`);
onStop(async () => {
  await broker.close();
  await app.close();
});
