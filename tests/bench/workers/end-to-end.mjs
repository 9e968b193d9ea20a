// How long a record takes, at a steady rate: until its append is acknowledged, until the tail of another process tells
// it, and from the one to the other (which may come first: then it counts as nothing).
import { eventMaker, keyOf, nowMicros } from '../lib/events.mjs';
import { Child } from '../lib/processes.mjs';
import { quantile } from '../lib/statistics.mjs';
import { openers } from './log-store.mjs';

export async function measure({ log: name, perSecond, seconds }) {
  const { log, engine, address, close } = await openers[name]();
  const follower = new Child(import.meta.resolve('./follower.mjs'), {});
  await follower.ask({ engine, address });
  await appendSteadily(log, perSecond, 0.3);
  const appends = await appendSteadily(log, perSecond, seconds);
  const told = await follower.ask({ until: Math.max(...appends.map(({ index }) => index)) });
  await follower.end();
  await close();
  return {
    ...quantiles('acknowledged', appends, ({ start, end }) => end - start),
    ...quantiles('told', appends, ({ index, start }) => told.get(index) - start),
    ...quantiles('after', appends, ({ index, end }) => Math.max(0, told.get(index) - end)),
  };
}

function quantiles(name, appends, microsOf) {
  const times = appends.map((append) => microsOf(append) / 1e3);
  return { [`${name}P50Ms`]: quantile(times, 0.5), [`${name}P99Ms`]: quantile(times, 0.99) };
}

/** Each append when it is due, whatever became of the ones before. */
async function appendSteadily(log, perSecond, seconds) {
  const make = eventMaker(250);
  const append = async () => {
    const body = Buffer.from(JSON.stringify(make(keyOf(0), false)));
    const start = nowMicros();
    const { index } = await log.append(body);
    return { index, start, end: nowMicros() };
  };
  const appends = [];
  const begun = performance.now();
  while (appends.length < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, ((performance.now() - begun) / 1e3) * perSecond);
    while (appends.length < due) appends.push(append());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return Promise.all(appends);
}
