import type { PoolClient } from 'pg';
import { defineTopics, type NewEvent } from 'fenceline';
import type { RedisEventLogOptions } from 'fenceline/redis';

export { EventBroker } from 'fenceline';
export { PostgresEventLog } from 'fenceline/postgres';
export { RedisEventLog } from 'fenceline/redis';
export { default as pg } from 'pg';
export const topics = defineTopics({ Order: {} });
export declare const client: PoolClient & RedisEventLogOptions['client'];
export declare const orderPlaced: NewEvent<'Order'>;
