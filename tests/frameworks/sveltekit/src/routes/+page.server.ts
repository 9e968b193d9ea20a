import { error } from '@sveltejs/kit';
import { aclOf, broker } from '../../../shop.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ request }) => {
  const acl = await aclOf(request.headers.get('cookie')).catch(() => error(401, 'Log in first.'));
  const { events, index, epoch } = broker.state({ topics: ['Order'], acl, scope: 'allowed' });
  return { initial: { events, index, epoch } };
};
