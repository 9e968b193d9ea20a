import { fetchHandler } from 'fenceline/fetch';
import { aclOf, broker } from '../../../../shop.ts';
import type { RequestHandler } from './$types';

const stream = fetchHandler({
  broker,
  acl: (request) => aclOf(request.headers.get('cookie')),
  pin: () => ({ scope: 'allowed' }),
});

export const GET: RequestHandler = ({ request }) => stream(request);
