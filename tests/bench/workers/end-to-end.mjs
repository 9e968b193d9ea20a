// How long an event takes, at a steady rate: until its publish is acknowledged, until a client of another process has
// it over HTTP, and from the one to the other (which may come first: then it counts as nothing).
import { EventBroker } from 'fenceline';
import { eventMaker, keyOf, nowMicros } from '../lib/events.mjs';
import { Child } from '../lib/processes.mjs';
import { quantile } from '../lib/statistics.mjs';
import { openers } from './log-store.mjs';

export async function measure({ log: name, perSecond, warmUpSeconds, seconds }) {
  const { log, engine, address, publishWith = publishing, close } = await openers[name]();
  const broker = new EventBroker({ log });
  await broker.ready();
  const publish = publishWith(broker);
  const follower = new Child(import.meta.resolve('./follower.mjs'), {});
  await follower.ask({ engine, address });
  // Until both processes and the server have compiled what they run: their first seconds say more of that.
  await publishSteadily(publish, perSecond, warmUpSeconds);
  const published = await publishSteadily(publish, perSecond, seconds);
  const told = await follower.ask({ until: Math.max(...published.map(({ index }) => index)) });
  await follower.end();
  await broker.close();
  await close();
  return {
    ...quantiles('acknowledged', published, ({ start, end }) => end - start),
    ...quantiles('told', published, ({ index, start }) => told.get(index) - start),
    ...quantiles('after', published, ({ index, end }) => Math.max(0, told.get(index) - end)),
  };
}

function quantiles(name, published, microsOf) {
  const times = published.map((one) => microsOf(one) / 1e3);
  return { [`${name}P50Ms`]: quantile(times, 0.5), [`${name}P99Ms`]: quantile(times, 0.99) };
}

const publishing = (broker) => (event) => broker.publish(event);

/** Each publish when it is due, whatever became of the ones before. */
async function publishSteadily(publish, perSecond, seconds) {
  const make = eventMaker(250);
  const publishOne = async () => {
    const event = make(keyOf(0), false);
    const start = nowMicros();
    const index = await publish(event);
    return { index, start, end: nowMicros() };
  };
  const all = [];
  const begun = performance.now();
  while (all.length < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, ((performance.now() - begun) / 1e3) * perSecond);
    while (all.length < due) all.push(publishOne());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return Promise.all(all);
}
