import { eventStreamHandler } from 'fenceline/http';
import { aclOf, broker } from '../../../shop.ts';

export default fromNodeMiddleware(
  eventStreamHandler({
    broker,
    acl: (request) => aclOf(request.headers.cookie),
    pin: () => ({ scope: 'allowed' }),
  }),
);
