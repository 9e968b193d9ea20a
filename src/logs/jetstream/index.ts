export { JetStreamEventLog } from './jetstream-event-log.ts';
export type { JetStreamEventLogOptions, StreamCreation } from './options.ts';
export type { NatsConnectionLike, NatsMessageLike, NatsStatusLike } from './nats-connection.ts';
