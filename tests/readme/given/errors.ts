import type { EventBatch, Subscription } from 'fenceline';

export { BrokerError } from 'fenceline';
export declare const subscription: Subscription;
export declare function handle(batch: EventBatch): void;
