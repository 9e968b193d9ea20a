import { defineTopics, type Event, type EventBroker, type Subscription } from 'fenceline';

export { streamEvents } from 'fenceline/client';
export declare const broker: EventBroker;
export declare const subscription: Subscription;
export declare const url: string;
export const topics = defineTopics({ Order: {} });
export declare function readAllOrdersAnew(): Promise<void>;
export declare function apply(event: Event): void;
