// Appends to a log until it is killed, each record the newest of its keys; says which one is once it is acknowledged.
import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';
import { sayAtOnce } from './say-at-once.ts';

const [, , path = '', run = ''] = process.argv;
const log = await LmdbEventLog.open({ path, durability: 'os', retention: { maxRecords: 20 } });

let next = 0;
async function appendForEver(): Promise<never> {
  for (;;) {
    const n = next++;
    // More keys than records are retained, so that many records outlive retention.
    const pins = [`key ${n % 211}`, `other ${(n * 7) % 307}`];
    const unpins = n % 5 === 0 ? [`key ${(n + 100) % 211}`] : [];
    const told = JSON.stringify({ run, n, pins, unpins });
    const { index } = await log.append(new TextEncoder().encode(told), { pins, unpins });
    sayAtOnce(`${index} ${told}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, appendForEver));
