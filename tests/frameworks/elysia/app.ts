import { fetchHandler } from 'fenceline/fetch';
import { Elysia } from 'elysia';
import { aclOf, broker } from '../shop.ts';
import { postLogout, postOrder } from '../actions.ts';

const stream = fetchHandler({
  broker,
  acl: (request) => aclOf(request.headers.get('cookie')),
  pin: () => ({ scope: 'allowed' }),
});

new Elysia()
  .get('/events', ({ request, server }) => stream(request, server))
  .post('/orders', ({ request }) => postOrder(request))
  .post('/logout', ({ request }) => postLogout(request))
  .listen(Number(process.env['PORT'] ?? 3000), (server) => {
    process.once('SIGTERM', () => void server.stop());
  });
