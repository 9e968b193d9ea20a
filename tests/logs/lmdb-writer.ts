// Appends to a log until it is killed; says each index on a line of its own once it is acknowledged.
import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';
import { sayAtOnce } from './say-at-once.ts';

const [, , path = '', durability = 'disk', name = ''] = process.argv;
const log = await LmdbEventLog.open({ path, durability: durability === 'os' ? 'os' : 'disk' });

let next = 0;
async function appendForEver(): Promise<never> {
  for (;;) {
    const text = `${name} ${next++}`;
    const { index } = await log.append(new TextEncoder().encode(text.padEnd(200)), { id: text });
    sayAtOnce(`${index} ${text}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, appendForEver));
