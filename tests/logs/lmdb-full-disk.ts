// Appends over and over in a process whose files may not grow past a limit; says what was acknowledged and what failed.
import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';

const [, , path = '', durability = 'disk'] = process.argv;
const log = await LmdbEventLog.open({ path, durability: durability === 'os' ? 'os' : 'disk' });

const failures = new Set<string>();
let acknowledged = 0;
for (let round = 0; round < 12; round++) {
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => log.append(new Uint8Array(8000))));
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') failures.add(String(outcome.reason.code));
    else acknowledged = Math.max(acknowledged, outcome.value.index);
  }
}
const { head } = await log.state();
await log.close();
console.log(JSON.stringify({ acknowledged, head, failures: [...failures] }));
