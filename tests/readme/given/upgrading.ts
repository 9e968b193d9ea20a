import type Koa from 'koa';
import {
  defineTopics,
  type AclResolver as Resolver,
  type EventBatch,
  type EventBroker as Broker,
  type Subscription,
} from 'fenceline';

export { AclResolver, EventBroker, MemoryAclStore } from 'fenceline';
export { streamEvents } from 'fenceline/client';
export { koaEventStream } from 'fenceline/koa';

export declare const app: Koa;
export declare const broker: Broker;
export declare const url: string;
export declare const epoch: string;
export const topics = defineTopics({ Order: {} });
export declare const resolver: Resolver;
export declare const subscription: Subscription;
export declare function handle(batch: EventBatch): void;
