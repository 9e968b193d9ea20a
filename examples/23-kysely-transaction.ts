// As 20-postgres-transaction, with Kysely.
// Run it: POSTGRES_URL=postgres://… npm run example examples/23-kysely-transaction.ts
import type { LogTransaction } from 'fenceline';
import { CompiledQuery, Kysely, PostgresDialect, type Transaction } from 'kysely';
import { broker, orderPlaced, pool, show } from './order-log.ts';

interface Database {
  readonly shop_orders: { readonly id: string; readonly customer: string };
}

const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });

const within = (trx: Transaction<Database>): LogTransaction => ({
  query: (text, values) => trx.executeQuery(CompiledQuery.raw(text, values)),
});

async function placeOrder(id: string, customer: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.insertInto('shop_orders').values({ id, customer }).execute();
    await broker.publish(orderPlaced(id), { transaction: within(trx) });
  });
}

await show(placeOrder);
