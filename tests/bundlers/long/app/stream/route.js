import { EventBroker } from 'fenceline';
import { fetchHandler } from 'fenceline/fetch';

export const dynamic = 'force-dynamic';

const broker = new EventBroker();
await broker.publish({ topic: 'Order', type: 'OrderPlaced', key: 'o1', payload: { total: 5 } });

export const GET = fetchHandler({ broker });
