// Events through one process to one reader.
import { eventMaker, keyOf } from '../lib/events.mjs';
import { cpuSeconds, immediate } from './cpu.mjs';

const BURST = 64;

/** @returns events per CPU second */
export async function measure({ module, bytes, seconds, warmSeconds }) {
  const { create } = await import(module);
  const reader = { received: 0, sum: 0 };
  const onEvent = (event) => {
    reader.received++;
    reader.sum += event.key.length;
  };
  const contender = await create({ onEvent });
  const source = bytes === 0 ? smallEvents() : payloads(bytes);
  const run = (duration) => dispatch(contender, source, reader, duration);
  await run(warmSeconds);
  globalThis.gc?.();
  const before = cpuSeconds();
  const events = await run(seconds);
  return { eventsPerCpuSecond: events / (cpuSeconds() - before) };
}

async function dispatch({ publish, drain }, source, reader, seconds) {
  const from = reader.received;
  const end = performance.now() + seconds * 1e3;
  for (let sent = from; performance.now() < end; sent += BURST) {
    let published;
    for (let i = 0; i < BURST; i++) published = publish(source(i));
    await published;
    drain?.();
    for (let turns = 0; reader.received < sent + BURST; turns++) {
      if (turns === 1000) throw new Error(`${sent + BURST - reader.received} events were lost`);
      await immediate();
    }
  }
  return reader.received - from;
}

/** A fresh envelope around a payload that the host keeps: making payloads is not what is measured. */
function payloads(bytes) {
  const { payload } = eventMaker(bytes)(keyOf(0), false);
  return () => ({ topic: 'Job', type: 'JobRegistered', key: 'job', namespace: 'default', payload });
}

const smallEvents = () => (n) => ({
  topic: 'Job',
  type: 'JobRegistered',
  key: 'job',
  namespace: 'default',
  payload: { n },
});
