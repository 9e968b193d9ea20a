import { useEventState } from 'fenceline/react';
import { data } from 'react-router';
import { aclOf, broker, type topics } from '../../../shop.ts';
import type { Route } from './+types/home';

export async function loader({ request }: Route.LoaderArgs) {
  const acl = await aclOf(request.headers.get('cookie')).catch(() => undefined);
  if (!acl) throw data('Log in first.', 401);
  const { events, index, epoch } = broker.state({ topics: ['Order'], acl, scope: 'allowed' });
  return { events, index, epoch };
}

export default function Home({ loaderData }: Route.ComponentProps) {
  const { objects, status } = useEventState<typeof topics>('/events', { topics: ['Order'], initial: loaderData });
  const items = objects.map(({ key, payload }) => (
    <li key={key}>
      {key}: {payload.step}
    </li>
  ));
  return (
    <>
      <p>{status}</p>
      <ul>{items}</ul>
    </>
  );
}
