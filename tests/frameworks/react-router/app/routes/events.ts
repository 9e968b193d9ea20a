import { fetchHandler } from 'fenceline/fetch';
import { aclOf, broker } from '../../../shop.ts';
import type { Route } from './+types/events';

const stream = fetchHandler({
  broker,
  acl: (request) => aclOf(request.headers.get('cookie')),
  pin: () => ({ scope: 'allowed' }),
});

export const loader = ({ request }: Route.LoaderArgs) => stream(request);
