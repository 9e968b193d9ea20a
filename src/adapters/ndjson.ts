import { Readable } from 'node:stream';
import type { Delivery, DeliveryOptions } from '../core/delivery/delivery.ts';
import { checkOptions, type OptionNames } from '../model/options.ts';
import type { Event } from '../model/event.ts';
import type { ByteSink } from '../core/delivery/byte-sink.ts';
import type { StreamFormat } from '../core/batch/stream-format.ts';
import type { Subscription } from '../core/delivery/subscription.ts';
import { ndjsonFormat } from './ndjson-format.ts';

export { ndjsonFormat } from './ndjson-format.ts';

/** How a stream is written. */
export interface NdjsonStreamOptions extends DeliveryOptions {
  /**
   * How many bytes may wait in the stream before the subscription reads on from its position instead. Default 64 KiB.
   */
  readonly highWaterMarkBytes?: number;
  /** Default ndjson. */
  readonly format?: StreamFormat;
}

/**
 * A subscription as a Node stream of ndjson bytes: a heartbeat at once, then one line per batch, heartbeats, gaps, and
 * the reason as the last line when the broker ends it. It minds backpressure: at most one chunk beyond the high water
 * mark waits in it. Destroying it closes the subscription.
 *
 * What the mounts do beside this is the host's here: let go of a peer that does not read the end, and subscribe for a
 * pipelined request only when its turn has come, which is when `response.socket` is no longer null. A response that
 * still waits behind another is never told that its client left, and its subscription would stay.
 *
 * ```ts
 * pipeline(ndjsonStream(await broker.subscribe({ topics: ['Job'] })), response, () => {});
 * ```
 * @throws TypeError when the subscription is delivered elsewhere already; for an option that is not known or out of its
 * range
 */
export function ndjsonStream<E extends Event>(
  subscription: Subscription<E>,
  options: NdjsonStreamOptions = {},
): Readable {
  checkOptions<NdjsonStreamOptions>(options, knownOptions, 'ndjsonStream');
  return new SubscriptionStream(subscription, options);
}

const knownOptions: OptionNames<NdjsonStreamOptions> = {
  highWaterMarkBytes: true,
  format: true,
  heartbeatMs: true,
  bookmarks: true,
  beatsTogether: true,
};

class SubscriptionStream extends Readable implements ByteSink {
  readonly #subscription: Subscription;
  readonly #delivery: Delivery;

  constructor(
    subscription: Subscription,
    { highWaterMarkBytes = 64 * 1024, format = ndjsonFormat, ...options }: NdjsonStreamOptions,
  ) {
    super({ highWaterMark: highWaterMarkBytes });
    this.#subscription = subscription;
    this.#delivery = subscription.deliverTo(this, format, options);
  }

  get waitingBytes(): number {
    return this.readableLength;
  }

  /** Who reads the stream may write to a chunk: it gets its own, or others would see it. */
  write(chunk: Uint8Array): boolean {
    return this.push(new Uint8Array(chunk));
  }

  end(last?: Uint8Array): Promise<void> {
    if (last) this.push(last);
    this.push(null);
    return new Promise((resolve) => this.on('close', resolve));
  }

  override _read(): void {
    // Called first while the constructor runs, or by a push: nothing to do until the delivery stands.
    this.#delivery?.drained();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#subscription.close();
    callback(error);
  }
}
