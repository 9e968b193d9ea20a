// As 20-postgres-transaction, with Drizzle.
// Run it: POSTGRES_URL=postgres://… npm run example examples/22-drizzle-transaction.ts
import { sql } from 'drizzle-orm';
import { drizzle, type NodePgTransaction } from 'drizzle-orm/node-postgres';
import { pgTable, text } from 'drizzle-orm/pg-core';
import type { LogTransaction } from 'fenceline';
import { broker, orderPlaced, pool, show } from './order-log.ts';

const orders = pgTable('shop_orders', { id: text('id').primaryKey(), customer: text('customer').notNull() });
const db = drizzle(pool);

/** Drizzle numbers the values itself: the text is cut where one stands. */
const within = (
  tx: Pick<NodePgTransaction<Record<string, never>, Record<string, never>>, 'execute'>,
): LogTransaction => ({
  query: (statement, values) =>
    tx.execute(
      sql.join(
        statement.split(/\$(\d+)/).map((part, i) => (i % 2 === 0 ? sql.raw(part) : sql`${values[Number(part) - 1]}`)),
      ),
    ),
});

async function placeOrder(id: string, customer: string): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.insert(orders).values({ id, customer });
    await broker.publish(orderPlaced(id), { transaction: within(tx) });
  });
}

await show(placeOrder);
