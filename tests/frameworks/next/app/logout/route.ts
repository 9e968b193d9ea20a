import { postLogout } from '../../../actions.ts';

export const POST = (request: Request) => postLogout(request);
