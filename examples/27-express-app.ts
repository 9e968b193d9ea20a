// A whole server with Express: log in (a JWT in a cookie), see the orders of your tenant as they are and as they
// change, log out (which ends the streams of that login), and a clean end on SIGTERM. With a page to try it. Run it:
// npm run example examples/27-express-app.ts
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Acl, AclDenial, defineRights, defineTopics, EventBroker, payloadOf } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { jwtVerify, SignJWT } from 'jose';

interface Order {
  readonly customer: string;
  readonly step: 'placed' | 'packed' | 'delivered';
}

// What there is, and what one needs to see it.
const rights = defineRights({ namespace: { capabilities: ['read-orders'] } });
const topics = defineTopics(
  {
    Order: {
      payload: payloadOf<Order>(),
      requires: { namespace: 'read-orders' },
      retain: 'latest',
      removedBy: ['OrderDelivered'],
    },
  },
  { rights },
);
const broker = new EventBroker({ topics });

// Your users, and who is logged in. In your server both are in a database.
const tenantOf = new Map([
  ['alice', 'acme'],
  ['bob', 'acme'],
  ['carol', 'beta'],
]);
const logins = new Set<string>();
const key = new TextEncoder().encode(process.env['JWT_SECRET'] ?? 'for this example alone, not for yours');

interface Login {
  readonly user: string;
  readonly login: string;
  readonly tenant: string;
  readonly expiresAt: number;
}

/** Who asks. Whoever is not logged in gets one answer, 403, whatever the reason. */
async function loginOf(request: express.Request): Promise<Login> {
  const [, cookie = ''] = /(?:^|; )login=([^;]+)/.exec(request.headers.cookie ?? '') ?? [];
  const { payload } = await jwtVerify(cookie, key).catch(() => {
    throw new AclDenial('unknown');
  });
  const { sub: user = '', jti: login = '', exp = 0 } = payload;
  const tenant = tenantOf.get(user);
  if (tenant === undefined || !logins.has(login)) throw new AclDenial('unknown', user);
  return { user, login, tenant, expiresAt: exp * 1000 };
}

/**
 * Asked when a stream is opened, and again whenever `broker.aclChanged` says that something about this user changed.
 */
async function aclOf(request: express.Request): Promise<Acl> {
  const { user, tenant, expiresAt } = await loginOf(request);
  const namespace = { [tenant]: { capabilities: ['read-orders'] } } as const;
  return Acl.fromRules([{ namespace }], { accessorId: user, expiresAt, rights });
}

const page = `<!doctype html>
<meta charset="utf-8"><title>Orders</title>
<p><button onclick="logIn('alice')">Log in as alice</button> <button onclick="logOut()">Log out</button>
<b id="state">not logged in</b></p>
<ul id="orders"></ul>
<script>
  const [orders, state] = [document.querySelector('#orders'), document.querySelector('#state')];
  const items = new Map();
  let source;
  const logIn = async (user) => {
    await fetch('/login/' + user, { method: 'POST' });
    source?.close();
    clear();
    source = new EventSource('/events?state=true');
    source.onmessage = ({ data }) => {
      const { Events, Removed = [] } = JSON.parse(data);
      for (const { Key, Payload } of Events) show(Key, Key + ' for ' + Payload.customer + ': ' + Payload.step);
      for (const { Key } of Removed) remove(Key);
    };
    source.addEventListener('current', () => (state.textContent = 'logged in, and up to date'));
    // The state begins anew: what is on the page counts no more.
    source.addEventListener('gap', ({ data }) => {
      if (['state', 'restarted', 'ahead'].includes(JSON.parse(data).Reason)) clear();
    });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) state.textContent = 'not logged in';
    };
  };
  const logOut = () => fetch('/logout', { method: 'POST' });
  const show = (key, text) => {
    if (!items.has(key)) items.set(key, orders.appendChild(document.createElement('li')));
    items.get(key).textContent = text;
  };
  const remove = (key) => {
    items.get(key)?.remove();
    items.delete(key);
  };
  const clear = () => [...items.keys()].forEach(remove);
</script>
`;

const app = express();
app.get('/', (_, response) => void response.type('html').send(page));
// In your server: after the password was checked.
app.post('/login/:user', async ({ params: { user } }, response) => {
  const login = randomUUID();
  logins.add(login);
  const jwt = new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setJti(login)
    .setExpirationTime('1 h');
  response.cookie('login', await jwt.sign(key), { httpOnly: true, sameSite: 'lax' }).sendStatus(204);
});
// Express 5 answers for what an async handler rejects with.
// oxlint-disable-next-line oxc/no-async-endpoint-handlers
app.post('/logout', async (request, response) => {
  const { user, login } = await loginOf(request);
  logins.delete(login); // first the change,
  await broker.aclChanged({ token: user }); // then the news of it: the streams of this login end here
  response.clearCookie('login').sendStatus(204);
});
// An order is placed, packed or delivered: `POST /orders/o-1/packed?customer=ann`.
// oxlint-disable-next-line oxc/no-async-endpoint-handlers
app.post('/orders/:id/:step', async (request, response) => {
  const { tenant } = await loginOf(request);
  const { id, step } = request.params;
  const type = `Order${step.slice(0, 1).toUpperCase()}${step.slice(1)}`;
  const payload = { customer: String(request.query['customer']), step: step as Order['step'] };
  await broker.publish({ topic: 'Order', type, key: id, namespace: tenant, payload });
  response.sendStatus(204);
});
// Everybody reads the orders of their own tenant, whatever the query says.
app.get('/events', eventStreamHandler({ broker, acl: aclOf, pin: () => ({ topics: ['Order'], scope: 'allowed' }) }));
app.use(((error, _request, response, next) => {
  if (AclDenial.is(error)) response.sendStatus(403);
  else next(error);
}) satisfies express.ErrorRequestHandler);

const server = app.listen(Number(process.env['PORT'] ?? 4646), '127.0.0.1', (error) => {
  if (error) throw error;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  console.log(`The page: ${url}/
curl -c jar -X POST '${url}/login/alice'
curl -b jar -X POST '${url}/orders/o-1/placed?customer=ann'
curl -sN -b jar '${url}/events?state=true'`);
});

async function stop(drainMs: number): Promise<void> {
  server.close(); // first: nobody new connects, a balancer asks the next server
  await broker.close({ drainMs }); // each stream ends with the place to resume from
  process.exit(0);
}
process.once('SIGTERM', () => void stop(Number(process.env['DRAIN_MS'] ?? 5000)));
process.once('SIGINT', () => void stop(0));
