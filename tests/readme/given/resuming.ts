import { defineTopics, type Event, type EventBroker, type Subscription } from 'fenceline';

export declare const broker: EventBroker;
export declare const subscription: Subscription;
export declare const url: string;
export const topics = defineTopics({ Order: {} });
export declare function readAllOrdersAnew(): Promise<void>;
export declare function apply(event: Event): void;
