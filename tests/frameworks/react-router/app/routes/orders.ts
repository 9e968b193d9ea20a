import { postOrder } from '../../../actions.ts';
import type { Route } from './+types/orders';

export const action = ({ request }: Route.ActionArgs) => postOrder(request);
