import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Kills a process when it has said so many lines. */
export function killAfter(
  process: ChildProcess,
  count: number,
): { readonly closed: Promise<unknown>; readonly lines: () => readonly string[] } {
  let told = '';
  /** The whole ones. */
  const lines = (): readonly string[] => told.split('\n').slice(0, -1);
  process.stdout?.on('data', (data) => {
    told += String(data);
    if (lines().length >= count) process.kill('SIGKILL');
  });
  return { closed: once(process, 'close'), lines };
}
