// What the check asks of each app beside the stream: to publish an order, to log out, and to say what is open.
import { AclDenial } from 'fenceline';
import { broker, logOut, type Order, sessionOf } from './shop.ts';

interface Placed {
  readonly index: number;
  /** How many streams are open, in this process. */
  readonly streams: number;
}

export async function placeOrder(cookies: string | null | undefined, key: string, step: string): Promise<Placed> {
  const { tenant } = await sessionOf(cookies);
  const type = step === 'delivered' ? 'OrderDelivered' : 'OrderMoved';
  const payload: Order = { step };
  const index = await broker.publish({ topic: 'Order', type, key, namespace: tenant, payload });
  return { index, streams: broker.stats().subscriptions };
}

/** `POST /orders?key=o-1&step=placed`, where the framework speaks fetch. */
export function postOrder(request: Request): Promise<Response> {
  const query = new URL(request.url).searchParams;
  return answer(async () =>
    Response.json(await placeOrder(request.headers.get('cookie'), query.get('key') ?? '', query.get('step') ?? '')),
  );
}

/** `POST /logout`. */
export function postLogout(request: Request): Promise<Response> {
  return answer(async () => {
    await logOut(request.headers.get('cookie'));
    return new Response(null, { status: 204 });
  });
}

async function answer(act: () => Promise<Response>): Promise<Response> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof AclDenial) return new Response(null, { status: 403 });
    throw error;
  }
}
