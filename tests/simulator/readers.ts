import type { EventBatch, Gap, SubscribeOptions, Subscription } from 'fenceline';
import type { Acl } from '../../src/acl/acl.ts';
import { streamEvents, StreamError, type Position } from '../../src/client/index.ts';
import { BrokerError } from '../../src/model/errors.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Network } from './network.ts';
import { Random } from './random.ts';
import { secretOf } from './rights-store.ts';
import type { ReaderWish } from './steps.ts';
import type { Wire } from './wire.ts';

/** What a reader reads from: the client's stream, or a subscription in process. */
export interface Source {
  next(): Promise<IteratorResult<EventBatch, undefined>>;
  /** Only of one that is to be read without waiting. */
  poll?(): EventBatch | undefined;
  close(): void;
  /** Where the reader goes on, kept after each batch. */
  readonly place: Place;
}

export type Place = Pick<SubscribeOptions, 'index' | 'epoch' | 'mark'>;

/** Where a reader finds its source. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly network: Network;
  rightsOf(who: string): Promise<Acl>;
  /** Of a process that is up. @throws BrokerError `closed` where none is */
  subscribe(process: number, options: SubscribeOptions): Promise<Subscription>;
}

/** What a source tells beside its batches. */
export interface SourceEvents {
  readonly onWire: (wire: Wire) => void;
  readonly onOpen: () => void;
  readonly onGap: (gap: Gap) => void;
}

/** The client, over the network. */
export function clientSource(
  place: Place,
  wish: ReaderWish,
  { clock, network }: Surroundings,
  on: SourceEvents,
): Source {
  const { topics, namespace, scope, who, by, isState, isSse, hearsGaps, mount, seed } = wish;
  const random = new Random(seed);
  const stream = streamEvents('http://host/v1/event/stream', {
    topics,
    namespace,
    ...(isState && { state: true }),
    ...(place as Position),
    ...(by === 'token' && { token: secretOf(who) }),
    headers: {
      'X-Scope': scope,
      ...(by === 'function' && { 'X-User': who }),
      ...(isSse && { Accept: 'text/event-stream' }),
    },
    minDelayMs: 100,
    maxDelayMs: 1000,
    clock,
    random: () => random.next(),
    fetch: network.fetchFor({ mount, seed: random.seed(), onWire: on.onWire }),
    ...(hearsGaps && { onGap: on.onGap }),
    onState: ({ name }) => {
      if (name === 'live') on.onOpen();
    },
  });
  return {
    next: () => stream.next(),
    close: () => stream.close(),
    get place() {
      return stream.position;
    },
  };
}

/** A subscription in process. */
export async function localSource(place: Place, wish: ReaderWish, host: Surroundings): Promise<Source> {
  const { topics, namespace, scope, who, by, isState, kind, process } = wish;
  const subscription = await host.subscribe(process, {
    topics,
    namespace,
    scope,
    ...(isState && { state: true }),
    ...place,
    ...(by === 'token' ? { token: secretOf(who) } : { acl: () => host.rightsOf(who) }),
  });
  return new LocalSource(subscription, kind === 'poll');
}

class LocalSource implements Source {
  readonly #subscription: Subscription;
  readonly poll?: () => EventBatch | undefined;

  constructor(subscription: Subscription, isPolled: boolean) {
    this.#subscription = subscription;
    if (isPolled) this.poll = () => this.#noted(this.#subscription.poll());
  }

  get place(): Place {
    return this.#subscription.resumeAt;
  }

  async next(): Promise<IteratorResult<EventBatch, undefined>> {
    const result = await this.#subscription.next();
    this.#noted(result.value);
    return result;
  }

  close(): void {
    this.#subscription.close();
  }

  #noted(batch: EventBatch | undefined): EventBatch | undefined {
    const { error } = this.#subscription;
    if (batch === undefined && error?.code === 'closed') throw error;
    return batch;
  }
}

/** The code of what ended a source. @throws what is neither's error */
export function codeOf(error: unknown): string {
  if (StreamError.is(error) || BrokerError.is(error)) return error.code;
  throw error;
}
