import { fetchHandler } from 'fenceline/fetch';
import { H3, serve } from 'h3';
import { aclOf, broker } from '../shop.ts';
import { postLogout, postOrder } from '../actions.ts';

const stream = fetchHandler({
  broker,
  acl: (request) => aclOf(request.headers.get('cookie')),
  pin: () => ({ scope: 'allowed' }),
});

const app = new H3()
  .get('/events', ({ req }) => stream(req))
  .post('/orders', ({ req }) => postOrder(req))
  .post('/logout', ({ req }) => postLogout(req));

// Its default cuts what is open after five seconds: longer than the drain.
serve(app, { port: Number(process.env['PORT'] ?? 3000), gracefulShutdown: { gracefulTimeout: 25 } });
