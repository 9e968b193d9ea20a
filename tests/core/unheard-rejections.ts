import { onTestFinished } from 'vitest';

/**
 * Listens from now on for promises that reject and that nobody waits for: one ends a process.
 * @returns what answers with their reasons, once Node has looked
 */
export function unheardRejections(): () => Promise<readonly unknown[]> {
  const reasons: unknown[] = [];
  const take = (reason: unknown): void => void reasons.push(reason);
  process.on('unhandledRejection', take);
  onTestFinished(() => void process.off('unhandledRejection', take));
  return async () => {
    // Node tells of them when the microtasks of a turn are done.
    await new Promise(setImmediate);
    return reasons;
  };
}
