// What publishing costs with so many subscriptions, each delivered as ndjson to a sink that takes everything.
import { EventBroker } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { eventMaker, keyOf } from '../lib/events.mjs';
import { cpuSeconds, immediate } from './cpu.mjs';

const BURST = 16;

/** @param isMatching whether the subscriptions want the events @returns publishes per CPU second */
export async function measure({ subscriptions, isMatching, seconds }) {
  const broker = new EventBroker();
  const sink = { write: () => true, end: () => undefined };
  const topics = isMatching ? ['Job'] : ['Node'];
  for (let i = 0; i < subscriptions; i++) {
    const subscription = await broker.subscribe({ topics, index: 'latest' });
    subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
  }
  const { payload } = eventMaker(250)(keyOf(0), false);
  const run = async (duration) => {
    const end = performance.now() + duration * 1e3;
    let count = 0;
    for (; performance.now() < end; count += BURST) {
      for (let i = 0; i < BURST; i++) {
        void broker.publish({ topic: 'Job', type: 'JobRegistered', key: keyOf(0), namespace: 'default', payload });
      }
      await immediate();
    }
    return count;
  };
  await run(0.4);
  const before = cpuSeconds();
  const events = await run(seconds);
  return { publishesPerCpuSecond: events / (cpuSeconds() - before) };
}
