import { setImmediate as nextTurn } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

import type { BrokerNotifications } from '../../src/core/broker/broker-notifications.ts';
import type { EventBrokerOptions } from '../../src/core/broker/event-broker.ts';
import { EventBroker, type Subscription } from '../../src/index.ts';
import type { LineReader } from './line-reader.ts';
import type { MountedServer } from './mounted-server.ts';
import type { Mount, MountOptions } from './mounts.ts';
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
  options: Omit<MountOptions, 'broker'> = {},
): Promise<MountedBroker> {
  const broker = new EventBroker(brokerOptions);
  // What is read line by line must not meet a heartbeat, however slow the machine is.
  const server = await mount.start({ broker, heartbeatMs: 3_600_000, ...options });
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

/** A size that one write takes with room to spare, and many do not. */
export const LARGE_BYTES = 64 * 1024;

const large = 'x'.repeat(LARGE_BYTES);

/** So much that no socket between here and a reader on this machine holds it. */
const MAX_UNTIL_LAGGING = 600;

/** A stream that is not read from here on, and its subscription. */
export async function stalledStream({ broker, client }: MountedBroker): Promise<Stalled> {
  const opened = notified(broker, 'subscribe');
  const reader = await client.open();
  return { reader, subscription: (await opened).subscription };
}

export interface Stalled {
  readonly reader: LineReader;
  readonly subscription: Subscription;
}

/**
 * Publishes until `stalled` has not kept up for `more` batches in a row; `healthy` gets each of them meanwhile.
 * @returns index of the newest batch
 */
export async function publishPast(
  broker: EventBroker,
  { subscription }: Stalled,
  healthy: LineReader,
  more: number,
  payload: () => string = () => large,
): Promise<number> {
  for (let blocked = 0, left = MAX_UNTIL_LAGGING; left > 0; left--) {
    const index = await broker.publish(jobEvent(payload()));
    const read = indexOf(await healthy.line());
    if (read !== index) throw new Error(`The reader that keeps up got ${read} for ${index}.`);
    await nextTurn();
    blocked = subscription.delivery?.isBlocked === true ? blocked + 1 : 0;
    if (blocked === more) return index;
  }
  throw new Error(`A stream that nobody reads took ${MAX_UNTIL_LAGGING * LARGE_BYTES} bytes.`);
}

/** Index of a line, without parsing all of it. */
export function indexOf(line: string | undefined): number {
  return Number(/^\{"Index":(\d+)/.exec(line ?? '')?.[1]);
}
