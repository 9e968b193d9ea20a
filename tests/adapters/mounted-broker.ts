import { setImmediate as nextTurn } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

import type { BrokerNotifications } from '../../src/core/broker-notifications.ts';
import type { EventBrokerOptions } from '../../src/core/event-broker.ts';
import { EventBroker, TopicFilter } from '../../src/index.ts';
import type { LineReader } from './line-reader.ts';
import type { MountedServer } from './mounted-server.ts';
import type { Mount } from './mounts.ts';
import { StreamClient } from './stream-client.ts';

/** A broker behind a mount, and a client of it. All of it goes when the test has ended. */
export interface MountedBroker {
  readonly broker: EventBroker;
  readonly server: MountedServer;
  readonly client: StreamClient;
}

export async function mountedBroker(
  mount: Mount,
  brokerOptions: EventBrokerOptions = {},
  options: { readonly heartbeatMs?: number } = {},
): Promise<MountedBroker> {
  const broker = new EventBroker(brokerOptions);
  const server = await mount.start({ broker, ...options });
  const client = new StreamClient(mount.protocol, server.port, mount.path);
  onTestFinished(async () => {
    client.close();
    await broker.close();
    await server.close();
  });
  return { broker, server, client };
}

/** The next notification of this name. */
export function notified<Name extends keyof BrokerNotifications>(
  broker: EventBroker,
  name: Name,
): Promise<Parameters<BrokerNotifications[Name]>[0]> {
  return new Promise((resolve) => {
    const listener = (notice: Parameters<BrokerNotifications[Name]>[0]): void => resolve(notice);
    broker.once(name, listener as never);
  });
}

/** Waits until so many subscriptions are open, from one notification to the next. */
export async function subscriptionsAre(broker: EventBroker, count: number): Promise<void> {
  while (broker.stats().subscriptions !== count)
    await Promise.race([notified(broker, 'subscribe'), notified(broker, 'unsubscribe')]);
}

export const jobEvent = (payload: unknown, key = 'web') => ({ topic: 'Job', type: 'JobRegistered', key, payload });

/** A job event as it stands on the wire. */
export const wireJob = (index: number, payload: unknown, key = 'web') => ({
  Index: index,
  Events: [
    { Topic: 'Job', Type: 'JobRegistered', Key: key, Namespace: '', FilterKeys: null, Index: index, Payload: payload },
  ],
});

export const LARGE_BYTES = 256 * 1024;

/** Events that compress to no less than their size would show nothing of a socket; these need no compression to be large. */
const large = jobEvent('x'.repeat(LARGE_BYTES));

/** So much that no socket between here and a reader on this machine holds it. */
const MAX_UNTIL_LAGGING = 200;

/**
 * Publishes until the one stream that asked for the topic `Job` by name does not keep up, and then some more; `healthy` gets all of it meanwhile.
 * @returns index of the newest batch
 */
export async function publishPast(broker: EventBroker, healthy: LineReader, more: number): Promise<number> {
  const slow = String(TopicFilter.parse(['Job']));
  let isLagging = false;
  broker.on('lagging', ({ topics }) => void (isLagging ||= topics === slow));
  for (let left = MAX_UNTIL_LAGGING; !isLagging; left--) {
    if (left === 0) throw new Error(`A stream that nobody reads took ${MAX_UNTIL_LAGGING * LARGE_BYTES} bytes.`);
    await publishAndRead(broker, healthy);
  }
  for (let n = 1; n < more; n++) await publishAndRead(broker, healthy);
  return publishAndRead(broker, healthy);
}

async function publishAndRead(broker: EventBroker, healthy: LineReader): Promise<number> {
  const index = await broker.publish(large);
  const read = indexOf(await healthy.line());
  if (read !== index) throw new Error(`The reader that keeps up got ${read} for ${index}.`);
  await nextTurn();
  return index;
}

/** Index of a line, without parsing all of it. */
export function indexOf(line: string | undefined): number {
  return Number(/^\{"Index":(\d+)/.exec(line ?? '')?.[1]);
}
