// What the examples of publishing in a transaction share: two tables, a log in the same database, and what they show.
// They need PostgreSQL: `POSTGRES_URL`, or what `PGHOST`, `PGUSER` and their like say.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { EventBroker } from 'fenceline';
import { PostgresEventLog } from 'fenceline/postgres';
import { topics } from './orders.ts';

/** Its size bounds how many transactions run at once; the log takes what it needs from it too. */
export const pool = new pg.Pool(process.env['POSTGRES_URL'] ? { connectionString: process.env['POSTGRES_URL'] } : {});
pool.on('error', (error) => console.error(`a connection broke: ${error.message}`));
await pool.query(`
  CREATE TABLE IF NOT EXISTS shop_customers (id text PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS shop_orders (
    id text PRIMARY KEY,
    customer text NOT NULL REFERENCES shop_customers DEFERRABLE INITIALLY DEFERRED
  );
  INSERT INTO shop_customers VALUES ('alice') ON CONFLICT DO NOTHING;
`);

const log = await PostgresEventLog.open({ pool, name: 'shop_events' });
export const broker = new EventBroker({ topics, log });
// Before the first transaction that publishes.
await broker.ready();

export const orderPlaced = (id: string) =>
  ({ topic: 'Order', type: 'OrderPlaced', key: id, namespace: 'default', payload: { id, total: 1 } }) as const;

/**
 * Three orders, of which the second fails when it is committed: nobody has such a customer. By then its event is
 * written, and it is gone with its order.
 */
export async function show(placeOrder: (id: string, customer: string) => Promise<void>): Promise<void> {
  const subscription = await broker.subscribe({ topics: ['Order'], index: 'latest' });
  const last = `third-${randomUUID()}`;
  await placeOrder(`first-${randomUUID()}`, 'alice');
  await placeOrder(`second-${randomUUID()}`, 'nobody').catch(() => console.log('the second was rolled back'));
  await placeOrder(last, 'alice');
  for await (const { index, events } of subscription) {
    for (const { key } of events) console.log(`event ${index}: ${key}`);
    if (events.some(({ key }) => key === last)) break;
  }
  await broker.close();
  await log.close();
  await pool.end();
}
