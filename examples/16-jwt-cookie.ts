// A JWT in a cookie: its expiry ends the stream, and "log out everywhere" ends all streams of a user at once.
// Run it: npm run example examples/16-jwt-cookie.ts
import http from 'node:http';
import express from 'express';
import { Acl, AclDenial, EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { errors, jwtVerify, SignJWT } from 'jose';
import { rights, shopTopics, takeOrdersOf, tenantOf } from './shop.ts';
import { serve } from './serving.ts';

const key = new TextEncoder().encode(process.env['JWT_SECRET'] ?? 'for this example alone, not for yours');
const livesFor = process.env['JWT_LIVES_FOR'] ?? '15 minutes';

/** How often each user has logged out everywhere: a token that was signed before is no longer good. */
const logouts = new Map<string, number>();

interface Session {
  readonly sub: string;
  readonly exp: number;
  readonly logouts: number;
}

async function sessionOf(request: express.Request): Promise<Session> {
  const [, token = ''] = /(?:^|; )session=([^;]+)/.exec(request.headers.cookie ?? '') ?? [];
  const { payload } = await jwtVerify<Session>(token, key).catch((error: unknown) => {
    throw new AclDenial(error instanceof errors.JWTExpired ? 'expired' : 'unknown');
  });
  if (payload.logouts !== (logouts.get(payload.sub) ?? 0)) throw new AclDenial('unknown', payload.sub);
  return payload;
}

/** Asked when a stream is opened, and again whenever the broker is told that something about this user changed. */
async function aclOf(request: express.Request): Promise<Acl> {
  const { sub, exp } = await sessionOf(request);
  const rules = { namespace: { [tenantOf(sub)]: { policy: 'read' } } } as const;
  return Acl.fromRules([rules], { accessorId: sub, expiresAt: exp * 1000, rights });
}

const broker = new EventBroker({ topics: shopTopics });
takeOrdersOf(broker);

const app = express();
app.post('/login/:user', async ({ params }, response) => {
  const claims = { logouts: logouts.get(params.user) ?? 0 };
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setSubject(params.user);
  response.cookie('session', await jwt.setExpirationTime(livesFor).sign(key), { httpOnly: true, sameSite: 'lax' });
  response.sendStatus(204);
});
// Express 5 answers for what an async handler rejects with.
// oxlint-disable-next-line oxc/no-async-endpoint-handlers
app.post('/logout-everywhere', async (request, response) => {
  const { sub } = await sessionOf(request);
  // The change first, then its news: from here on no stream of this user gets another event.
  logouts.set(sub, (logouts.get(sub) ?? 0) + 1);
  await broker.aclChanged({ token: sub });
  response.clearCookie('session').sendStatus(204);
});
app.get('/events', eventStreamHandler({ broker, acl: aclOf, pin: () => ({ scope: 'allowed' }) }));
console.log(`Log in, stream, and in another terminal log out everywhere: the stream ends.
  curl -c jar -X POST http://127.0.0.1:4646/login/alice
  curl -sN -b jar http://127.0.0.1:4646/events
  curl -b jar -X POST http://127.0.0.1:4646/logout-everywhere
`);
serve(http.createServer(app), broker, '/events');
