import { postOrder } from '../../../../actions.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = ({ request }) => postOrder(request);
