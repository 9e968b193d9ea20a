import type { EventStream } from 'fenceline/client';

export { streamEvents } from 'fenceline/client';
export declare const url: string;
export declare const session: { readonly token: string };
export declare function saved(): Partial<EventStream['position']>;
export declare function save(position: EventStream['position']): void;
export declare function handle(events: readonly unknown[]): Promise<void>;
export declare function show(key: string, payload: unknown): void;
export declare function setBanner(text: string): void;
