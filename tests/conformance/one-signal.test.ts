import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';

import { streamEvents } from 'fenceline/client';
import { EventBroker } from '../../src/index.ts';
import { MemoryEventLog } from '../../src/logs/memory.ts';

/** Node warns of a leak from the eleventh listener on. */
const MANY = 12;
const many = Array.from({ length: MANY }, (_, at) => at);

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('many users of one AbortSignal', () => {
  it('put one listener on it, and none once they are gone', async () => {
    const { signal } = new AbortController();
    const broker = new EventBroker();
    const subscriptions = await Promise.all(many.map(() => broker.subscribe({ signal })));
    const streams = many.map(() => streamEvents('http://127.0.0.1:9/', { signal }));
    expect(listenersOf(signal)).toBe(1);
    for (const subscription of subscriptions) subscription.close();
    expect(listenersOf(signal)).toBe(1);
    for (const stream of streams) stream.close();
    expect(listenersOf(signal)).toBe(0);
  });

  it('are all ended by it', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const broker = new EventBroker();
    await Promise.all(many.map(() => broker.subscribe({ signal })));
    const streams = many.map(() => streamEvents('http://127.0.0.1:9/', { signal }));
    controller.abort();
    expect(broker.stats().subscriptions).toBe(0);
    expect(streams.map(({ state }) => state.name)).toEqual(many.map(() => 'closed'));
  });

  it('put none of their own on it where a log is read and appended to', async () => {
    const { signal } = new AbortController();
    const log = new MemoryEventLog();
    const body = new TextEncoder().encode('{}');
    const appends = many.map((at) => log.append(body, { id: String(at), signal }));
    const reads = many.map(async () => {
      for await (const records of log.read(1, MANY, { signal })) expect(records.length).toBeGreaterThan(0);
    });
    expect(listenersOf(signal)).toBeLessThanOrEqual(1);
    await Promise.all([...appends, ...reads]);
    expect(listenersOf(signal)).toBe(0);
  });
});
