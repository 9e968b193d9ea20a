import { postOrder } from '../../../actions.ts';

export default defineEventHandler((event) => postOrder(toWebRequest(event)));
