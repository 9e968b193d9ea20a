import type { EventBatch } from '../../model/event.ts';
import type { StreamState } from '../connection-state.ts';
import type { Position } from '../read-position.ts';
import { StreamError } from '../stream-error.ts';

/** What the tabs say to each other. */
export type TabMessage =
  /** Who leads, and where is it? */
  | { readonly kind: 'ask' }
  /** This tab was shown, or its machine woke: the leader's connection may be dead, or its server back. */
  | { readonly kind: 'wake' }
  /** Somebody called `reconnect()`. */
  | { readonly kind: 'reconnect' }
  /** What the leader read has ended for a reason that cannot heal: each tab finds out for itself. */
  | { readonly kind: 'gone' }
  | LeaderMessage;

/** From the leader. `position` is its own, after the batch if there is one; `number` counts its batches. */
export type LeaderMessage = {
  readonly leader: string;
  readonly number: number;
  readonly position: Position;
} & ({ readonly kind: 'place'; readonly state: ToldState } | { readonly kind: 'batch'; readonly batch: EventBatch });

/** A state without the class of its error, which no channel carries. */
export type ToldState = Pick<StreamState, 'name'> & {
  readonly delayMs?: number;
  readonly reason?: Pick<StreamError, 'code' | 'message' | 'retry' | 'status' | 'retryAfterMs'>;
};

export function toldState(state: StreamState): ToldState {
  if (state.name !== 'waiting') return { name: state.name };
  const { code, message, retry, status, retryAfterMs } = state.reason;
  return { name: state.name, delayMs: state.delayMs, reason: { code, message, retry, status, retryAfterMs } };
}

export function stateFrom({ name, delayMs = 0, reason }: ToldState): StreamState {
  if (name === 'waiting' && reason)
    return { name, delayMs, reason: new StreamError(reason.code, reason.message, reason.retry, reason) };
  return name === 'live' ? { name } : { name: 'connecting' };
}
