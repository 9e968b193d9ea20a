import { postLogout } from '../../../actions.ts';
import type { Route } from './+types/logout';

export const action = ({ request }: Route.ActionArgs) => postLogout(request);
