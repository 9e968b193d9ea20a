import { postOrder } from '../../../actions.ts';

export const POST = (request: Request) => postOrder(request);
