import { writeSync } from 'node:fs';

/**
 * Writes to standard output before it returns, or what was acknowledged just before a kill would not be heard of. The
 * pipe may be full: its reader is busy.
 */
export function sayAtOnce(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}
