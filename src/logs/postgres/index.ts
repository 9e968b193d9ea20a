export { PostgresEventLog } from './postgres-event-log.ts';
export { postgresEventLogSql } from './layout.ts';
export type { LogNames } from './layout.ts';
export type { PostgresEventLogOptions } from './options.ts';
export type {
  PostgresClientLike,
  PostgresConnectionLike,
  PostgresPoolLike,
  PostgresRows,
  PostgresStatement,
} from './postgres-client.ts';
