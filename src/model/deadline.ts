import type { Clock, ClockTimer } from './clock.ts';

/**
 * What `work` gives, unless it takes longer than `limitMs`: host code that never answers must hold nobody for ever. The
 * work itself goes on; what it gives later is dropped.
 * @throws what `work` rejects with; what `late` makes, when the time is over
 */
export function withDeadline<R>(
  clock: Pick<Clock, 'after'>,
  limitMs: number,
  work: Promise<R>,
  late: () => Error,
): Promise<R> {
  let timer: ClockTimer | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = clock.after(limitMs, () => reject(late()));
  });
  return Promise.race([work, deadline]).finally(() => timer?.cancel());
}
