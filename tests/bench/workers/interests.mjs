// One event to one of many subscriptions.
import { EventBroker } from 'fenceline';
import { cpuSeconds, immediate } from './cpu.mjs';

const EVENTS = 20_000;

/**
 * @param by `'key'` or `'namespace'`: what tells the subscriptions apart @returns CPU µs of a publish and the reading
 * of it
 */
export async function measure({ by, subscriptions: count }) {
  const broker = new EventBroker();
  const name = (i) => `name-${i}`;
  const place = (i) => (by === 'key' ? { key: name(i), namespace: 'default' } : { key: 'job', namespace: name(i) });
  const subscriptions = [];
  for (let i = 0; i < count; i++) {
    const { key, namespace } = place(i);
    subscriptions.push(await broker.subscribe({ topics: [`Job:${key}`], namespace, index: 'latest' }));
  }
  let batches = 0;
  const run = async () => {
    for (let n = 0; n < EVENTS; n++) {
      const i = (n * 7919) % count;
      void broker.publish({ topic: 'Job', type: 'JobRegistered', ...place(i), payload: { n } });
      if (subscriptions[i].poll() !== undefined) batches++;
      if (n % 64 === 0) await immediate();
    }
  };
  await run();
  await run();
  globalThis.gc?.();
  const before = cpuSeconds();
  await run();
  if (batches !== 3 * EVENTS) throw new Error(`${3 * EVENTS - batches} events were lost`);
  return { microsPerEvent: ((cpuSeconds() - before) / EVENTS) * 1e6 };
}
