// An order and its event, both or neither: the event is published in the transaction that stores the order.
// Run it: POSTGRES_URL=postgres://… npm run example examples/20-postgres-transaction.ts
import { broker, orderPlaced, pool, show } from './order-log.ts';

async function placeOrder(id: string, customer: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('INSERT INTO shop_orders (id, customer) VALUES ($1, $2)', [id, customer]);
    // Last, since every other publish waits from here to the end of the transaction.
    await broker.publish(orderPlaced(id), { transaction: client });
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

await show(placeOrder);
