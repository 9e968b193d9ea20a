'use client';

export { useEventStream } from './use-event-stream.ts';
export type { UseEventStreamOptions, UseEventStreamResult } from './use-event-stream.ts';
export { useEventState } from './use-event-state.ts';
export type { UseEventStateOptions, UseEventStateResult } from './use-event-state.ts';
export type { ConnectionResult, ConnectionStatus, HookOptions, InitialEvents } from './hook-options.ts';
