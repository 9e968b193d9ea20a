// Publishes that the log has acknowledged, with so many in flight.
import { EventBroker } from 'fenceline';
import { eventMaker, keyOf } from '../lib/events.mjs';
import { openers } from './log-store.mjs';

/** @returns publishes per second */
export async function measure({ log: name, inFlight, seconds }) {
  const { log, publish, publishWith = publishing, close } = await openers[name]();
  const broker = new EventBroker(log ? { log } : {});
  await broker.ready();
  const append = publish ?? publishWith(broker);
  const make = eventMaker(250);
  const run = async (duration) => {
    const end = performance.now() + duration * 1e3;
    let count = 0;
    const publisher = async () => {
      for (; performance.now() < end; count++) await append(make(keyOf(0), false));
    };
    await Promise.all(Array.from({ length: inFlight }, publisher));
    return count;
  };
  await run(0.2);
  const start = performance.now();
  const count = await run(seconds);
  const publishesPerSecond = (count / (performance.now() - start)) * 1e3;
  await broker.close();
  await close();
  return { publishesPerSecond };
}

const publishing = (broker) => (event) => broker.publish(event);
