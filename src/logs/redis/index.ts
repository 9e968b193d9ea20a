export { RedisEventLog } from './redis-event-log.ts';
export type { RedisEventLogOptions } from './options.ts';
export type { IoRedisLike, NodeRedisLike, RedisClientLike, RedisCommand, RedisEmitterLike } from './redis-client.ts';
export type { RedisServerFacts } from './server-facts.ts';
