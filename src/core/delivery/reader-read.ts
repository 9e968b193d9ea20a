import type { CursorRead } from '../backlog/cursor.ts';

/** One object: a read of what has ended costs nothing. */
export const ended = { kind: 'ended' } as const;

/** What reading a subscription gives: what its cursor gives, or `ended` when it gets nothing more. */
export type ReaderRead = CursorRead | typeof ended;
