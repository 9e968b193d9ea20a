// As 20-postgres-transaction, with Prisma. Its client is made from prisma/schema.prisma, which says how.
// Run it: POSTGRES_URL=postgres://… npm run example examples/21-prisma-transaction.ts
import { PrismaPg } from '@prisma/adapter-pg';
import type { LogTransaction } from 'fenceline';
import { broker, orderPlaced, pool, show } from './order-log.ts';
import { PrismaClient, type Prisma } from './prisma/generated/client.ts';

const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });

const within = (tx: Prisma.TransactionClient): LogTransaction => ({
  query: async (text, values) => ({ rows: await tx.$queryRawUnsafe<unknown[]>(text, ...values) }),
});

async function placeOrder(id: string, customer: string): Promise<void> {
  await prisma.$transaction(async (tx) => {
    await tx.order.create({ data: { id, customer } });
    await broker.publish(orderPlaced(id), { transaction: within(tx) });
  });
}

await show(placeOrder);
