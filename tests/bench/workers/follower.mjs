// Another process on a log: tells when it was told of each record, on the clock that all processes of a machine share.
import { nowMicros } from '../lib/events.mjs';
import { serveParent } from '../lib/processes.mjs';
import { joiners } from './log-store.mjs';

const told = new Map();

serveParent(async ({ engine, address, until }) => {
  if (until === undefined) return follow(engine, address);
  while (!told.has(until)) await new Promise((resolve) => setTimeout(resolve, 5));
  return told;
});

async function follow(engine, address) {
  const log = await joiners[engine](address);
  const { head } = await log.state();
  const ignore = () => undefined;
  const records = (batch) => {
    const now = nowMicros();
    for (const { index } of batch) told.set(index, now);
  };
  await log.tail(head, { records, gap: ignore, reset: ignore, status: ignore });
  return head;
}
