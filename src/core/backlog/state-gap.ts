import type { Asked } from '../matching/interest.ts';
import { gapOf, isRestart, type Gap, type GapReason } from '../../model/gap.ts';
import type { StateBacklog } from './state-reading.ts';

type From = Pick<StateBacklog, 'buffer' | 'state'>;

/**
 * The state begins anew: what its reader holds counts no more. All of it comes again, so the gap is over all of it.
 * @param reason one that says less is told as `state`
 */
export function anewGap({ buffer, state }: From, reason: GapReason, about: Pick<Gap, 'epoch' | 'mark'>): Gap {
  const from = buffer.indexAt(state.oldest ?? buffer.head + 1);
  const to = Math.max(from, buffer.latestIndex);
  return { from, to, reason: isRestart({ reason }) ? reason : 'state', ...about };
}

/** Objects of the state that are not known any more: what a newcomer misses. */
export function forgottenGap({ buffer, state }: From, asked: Asked): Gap | undefined {
  return buffer.inIndexes(gapOf('trimmed', 1, state.lastLostKey(asked) + 1));
}
