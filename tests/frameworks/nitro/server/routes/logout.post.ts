import { postLogout } from '../../../actions.ts';

export default defineEventHandler((event) => postLogout(toWebRequest(event)));
