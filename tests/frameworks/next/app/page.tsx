import { headers } from 'next/headers';
import { aclOf, broker } from '../../shop.ts';
import { Orders } from './orders.tsx';

export default async function Page() {
  const acl = await aclOf((await headers()).get('cookie')).catch(() => undefined);
  if (!acl) return <p>Log in first.</p>;
  const { events, index, epoch } = broker.state({ topics: ['Order'], acl, scope: 'allowed' });
  return <Orders initial={{ events, index, epoch }} />;
}
