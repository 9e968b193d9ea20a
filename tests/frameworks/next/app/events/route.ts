import { fetchHandler } from 'fenceline/fetch';
import { aclOf, broker } from '../../../shop.ts';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

export const GET = fetchHandler({
  broker,
  acl: (request) => aclOf(request.headers.get('cookie')),
  pin: () => ({ scope: 'allowed' }),
});
