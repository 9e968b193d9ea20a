import type { EventBroker } from 'fenceline';
import type { nomadTopics } from 'fenceline/nomad';

export { streamEvents } from 'fenceline/client';
export { nomadEvents } from 'fenceline/nomad';
export declare const token: string;
export declare const lines: AsyncIterable<string>;
export declare const broker: EventBroker<(typeof nomadTopics)['payloads']>;
