// Appends to a log until it is killed; says each index on a line of its own once it is acknowledged.
import { writeSync } from 'node:fs';

import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';

const [, , path = '', durability = 'disk', name = ''] = process.argv;
const log = await LmdbEventLog.open({ path, durability: durability === 'os' ? 'os' : 'disk' });

let next = 0;
async function appendForEver(): Promise<never> {
  for (;;) {
    const text = `${name} ${next++}`;
    const { index } = await log.append(new TextEncoder().encode(text.padEnd(200)), { id: text });
    say(`${index} ${text}\n`);
  }
}

/**
 * At once, or what was acknowledged just before the kill would not be heard of. The pipe may be full: its reader is
 * busy.
 */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

await Promise.all(Array.from({ length: 16 }, appendForEver));
