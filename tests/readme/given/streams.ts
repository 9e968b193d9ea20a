import type { EventBroker, LogTransaction, NewEvent } from 'fenceline';

export declare const broker: EventBroker;
export declare const event: NewEvent;
export declare const change: unknown;
export declare const db: { save(change: unknown): Promise<void> };
export declare const client: LogTransaction;
