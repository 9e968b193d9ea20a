export { LmdbEventLog } from './lmdb-event-log.ts';
export type { LmdbEventLogOptions } from './options.ts';
