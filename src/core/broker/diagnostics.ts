import { channel, tracingChannel, type TracingChannel } from 'node:diagnostics_channel';
import type { EventEmitter } from 'eventemitter3';
import type { BrokerNotifications } from './broker-notifications.ts';
import { deliverChannel } from '../delivery/deliver-channel.ts';
import type { DeliverMessage, PublishMessage, SubscribeMessage } from './diagnostics-messages.ts';

const publishing = tracingChannel<unknown, PublishMessage>('fenceline.publish');
const subscribing = tracingChannel<unknown, SubscribeMessage>('fenceline.subscribe');

/** Notifications that a channel tells too: it gets what the notification says, and which broker says it. */
const channels = {
  revoked: channel('fenceline.revoke'),
  gap: channel('fenceline.gap'),
  lagging: channel('fenceline.stall'),
  unsubscribe: channel('fenceline.close'),
} as const;

type Told = keyof typeof channels;

/**
 * Tells on the process's diagnostics channels what one broker does. Whether anybody listens is looked at first: with
 * nobody there, no message is made and no promise is wrapped.
 *
 * What a subscriber of a channel throws never comes back here: Node tells it as an uncaught exception of the process.
 */
export class Diagnostics {
  readonly #broker: EventEmitter<BrokerNotifications>;

  constructor(broker: EventEmitter<BrokerNotifications>) {
    this.#broker = broker;
  }

  /** To be looked at before {@link publish}. */
  get isPublishTraced(): boolean {
    return isTraced(publishing);
  }

  /** @param publish fills the message and publishes */
  publish(publish: (message: PublishMessage) => number | Promise<number>): Promise<number> {
    const message: PublishMessage = { broker: this.#broker, events: undefined, topics: undefined };
    return publishing.tracePromise(async () => publish(message), message);
  }

  /** @param subscribe fills the message, if it gets one, and subscribes */
  subscribe<R>(subscribe: (message?: SubscribeMessage) => Promise<R>): Promise<R> {
    if (!isTraced(subscribing)) return subscribe();
    const unknown = { topics: undefined, namespaces: undefined, accessorId: undefined };
    const message: SubscribeMessage = { broker: this.#broker, ...unknown };
    return subscribing.tracePromise(() => subscribe(message), message);
  }

  /** A handover; the caller has looked whether anybody listens. */
  deliver(what: Omit<DeliverMessage, 'broker'>): void {
    deliverChannel.publish({ broker: this.#broker, ...what });
  }

  /** A notification, on its channel and to the broker's listeners. To be called when the broker is at rest. */
  tell<Name extends keyof BrokerNotifications>(name: Name, args: Parameters<BrokerNotifications[Name]>): void {
    if (isTold(name) && channels[name].hasSubscribers)
      channels[name].publish({ broker: this.#broker, ...(args[0] as object) });
    this.#broker.emit(name, ...(args as never));
  }
}

const isTold = (name: string): name is Told => Object.hasOwn(channels, name);

/** Of the five one by one: Bun's tracing channels have no `hasSubscribers` of their own. */
function isTraced<Message extends object>(trace: TracingChannel<unknown, Message>): boolean {
  const { start, end, asyncStart, asyncEnd, error } = trace;
  return (
    start.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers
  );
}
