import type { AclRef } from '../../model/acl-ref.ts';
import { Acl } from '../../acl/acl.ts';
import { refsOf, type AclChange } from '../../acl/acl-change.ts';
import type { AclSource } from '../../acl/acl-resolver.ts';
import type { AclExplanation } from '../../acl/explain.ts';
import { needsOf } from './requirements.ts';
import { Revocation } from '../../acl/revocation.ts';
import type { BrokerNotifications } from './broker-notifications.ts';
import type { BrokerStats } from './broker-stats.ts';
import { systemClock, type Clock } from '../../model/clock.ts';
import { EncodedBatch } from '../batch/encoded-batch.ts';
import { BrokerError, closed } from '../../model/errors.ts';
import { EventBuffer, type BufferOptions } from '../backlog/event-buffer.ts';
import type { EventLog, LogState } from '../log/event-log.ts';
import type { FlushOptions } from '../delivery/flush-schedule.ts';
import type { Interest } from '../matching/interest.ts';
import { InterestIndex } from '../matching/interest-index.ts';
import { LogFeed } from '../log/log-feed.ts';
import type { Range } from './start-position.ts';
import { Notifications } from './notifications.ts';
import { Outbox } from '../delivery/flush-queue.ts';
import { Publisher } from './publisher.ts';
import type { PublishOptions } from './publish-request.ts';
import { Registry } from './subscription-registry.ts';
import { checkSubscribe, type CheckedSubscribe, type SubscribeOptions } from './subscribe-request.ts';
import type { Subscription, SubscriptionHost } from '../delivery/subscription.ts';
import { openTopics, type EventOf, type NewEventOf, type TopicMap, type Topics } from '../../model/topics.ts';

/** How a broker is made. All of it is optional. */
export interface EventBrokerOptions<T extends TopicMap = TopicMap, Name extends string = string> {
  /** The topics that can be published and asked for. Default: any, each needing management. */
  readonly topics?: Topics<T, Name>;
  /** Resolves tokens. Default none: everybody may see everything. */
  readonly acl?: AclSource;
  readonly buffer?: BufferOptions;
  readonly flush?: FlushOptions;
  /** Where batches are kept beyond the process. Default: in the buffer alone. The host opens and closes it. */
  readonly log?: EventLog;
  /** While the log is down: `'fail'` (default) refuses a publish at once, `'wait'` holds it (at most 1,024) until the log is back. */
  readonly publishWhenDown?: 'fail' | 'wait';
  /** How long the ACL store may take, in ms, before what waits for it ends with `acl_unavailable`. Default 5,000. */
  readonly reauthorizeTimeoutMs?: number;
  /** How many subscriptions may be open; one more is refused with `at_capacity`. Default 100,000. */
  readonly maxSubscriptions?: number;
  readonly clock?: Clock;
}

/**
 * The broker: publish on one side, subscribe on the other. It joins the steps that a batch takes (ARCHITECTURE.md shows them) and has no algorithm of its own.
 *
 * An `eventemitter3` emitter of {@link BrokerNotifications}; a listener that throws harms nobody.
 *
 * ```ts
 * const broker = new EventBroker({ topics });
 * const subscription = await broker.subscribe({ topics: ['Job:web'] });
 * await broker.publish({ topic: 'Job', type: 'JobRegistered', key: 'web', namespace: 'default', payload: { Job: job } });
 * for await (const { index, events } of subscription) …
 * ```
 */
export class EventBroker<
  T extends TopicMap = TopicMap,
  Name extends string = string,
> extends Notifications<BrokerNotifications> {
  /** Untyped inside: the types are checked at the door, by `publish` and `subscribe`. */
  readonly #topics: Topics;
  readonly #clock: Clock;
  readonly #acl: AclSource | undefined;
  readonly #buffer: EventBuffer;
  readonly #interests = new InterestIndex();
  readonly #revocation: Revocation;
  readonly #outbox: Outbox;
  readonly #feed: LogFeed | undefined;
  readonly #publisher: Publisher;
  readonly #registry: Registry;
  readonly #host: SubscriptionHost;
  #epoch: string = crypto.randomUUID();
  #isClosed = false;
  /** What happened during the step under way; told when it is over, so that a listener finds the broker at rest. */
  #untold: (() => void)[] | undefined;
  #publishedBatches = 0;
  #publishedEvents = 0;

  /** @throws TypeError for an option that is out of its range */
  constructor(options: EventBrokerOptions<T, Name> = {}) {
    super();
    const { clock = systemClock, log, publishWhenDown = 'fail' } = options;
    this.#topics = (options.topics as unknown as Topics | undefined) ?? openTopics;
    this.#clock = clock;
    this.#acl = options.acl;
    this.#buffer = new EventBuffer(options.buffer);
    this.#outbox = new Outbox(clock, options.flush ?? {}, (flush) => this.#step(flush));
    this.#revocation = this.#makeRevocation(bound(options, 'reauthorizeTimeoutMs', 5000));
    this.#feed = log && this.#makeFeed(log, publishWhenDown === 'wait');
    this.#registry = this.#makeRegistry(bound(options, 'maxSubscriptions', 100_000));
    this.#publisher = this.#makePublisher(log);
    this.#host = this.#makeHost();
  }

  /** Names this run of indexes: another epoch means that earlier indexes mean nothing here. With a log, it is the log's. */
  get epoch(): string {
    return this.#epoch;
  }

  /** The topics that it was made with. */
  get topics(): Topics<T, Name> {
    return this.#topics as unknown as Topics<T, Name>;
  }

  /**
   * Publishes one event, or several as one batch. The payloads are copied: what the caller changes later does not change them.
   *
   * Without a log the batch is there for `poll()` when the call returns; with one, the promise resolves when the log has acknowledged it.
   * @returns the batch's index
   * @throws (rejects) BrokerError `bad_request`, `index_conflict`, `not_supported`, `closed`, `log_unavailable`, `at_capacity`; nothing was published then
   */
  async publish(events: NewEventOf<T> | readonly NewEventOf<T>[], options: PublishOptions = {}): Promise<number> {
    return this.#publisher.publish(events, options);
  }

  /**
   * Tells that ACL objects changed elsewhere. Commit first, then call this. Subscriptions that depend on them are held at the newest index
   * (with a log: at this news' own place in it, in every process) until their rights are confirmed.
   */
  async aclChanged(changes: AclChange | readonly AclChange[]): Promise<void> {
    this.#requireOpen();
    const refs = refsOf(changes);
    const rest = this.#atRest();
    if (rest) await rest;
    if (this.#feed) await this.#feed.append([], refs, {});
    else this.#accept(new EncodedBatch(this.#buffer.head, []), refs);
  }

  /**
   * Opens a subscription. It sees what was published from its start on, what its rights let it see.
   * @throws (rejects) BrokerError `bad_request`, `permission_denied`, `acl_unavailable`, `gap` or `restarted` (with `onGap: 'fail'`), `at_capacity`,
   * `closed`, `log_unavailable`; the signal's reason when it is aborted
   */
  async subscribe(options: SubscribeOptions<Name> = {}): Promise<Subscription<EventOf<T>>> {
    this.#requireOpen();
    const request = checkSubscribe(options, this.#topics);
    await this.#feed?.ready();
    const { run } = this.#buffer;
    const range = await this.#rangeFor(request);
    // Where the indexes began anew meanwhile, the start is another.
    const open = (acl: Acl) => (run === this.#buffer.run ? this.#open(request, acl, range) : undefined);
    const subscription = await this.#authorize(request, open);
    return (subscription as unknown as Subscription<EventOf<T>> | undefined) ?? this.subscribe(options);
  }

  /**
   * Why such a subscription is allowed or denied: which need is met by which policy through which role. For operators and tests; never for clients.
   * @throws BrokerError `not_supported` without a resolver that can tell
   */
  async explain(options: SubscribeOptions<Name> = {}): Promise<AclExplanation> {
    const { filter, namespaces, token } = checkSubscribe(options, this.#topics);
    if (!this.#acl?.explain) throw new BrokerError('not_supported', 'explain needs an acl with explain.');
    return this.#acl.explain(token, needsOf(filter, namespaces, this.#topics));
  }

  /** A plain snapshot; taking it costs little. */
  stats(): BrokerStats {
    return {
      ...this.#registry.stats(),
      interests: this.#interests.size,
      bufferedBatches: this.#buffer.length,
      bufferedBytes: this.#buffer.bytes,
      oldestIndex: this.#buffer.oldest ?? 0,
      latestIndex: this.#buffer.head,
      epoch: this.#epoch,
      publishedBatches: this.#publishedBatches,
      publishedEvents: this.#publishedEvents,
      listenerErrors: this.listenerErrors,
      log: this.#feed?.status,
    };
  }

  /** Ends every stream with the reason `closed`, after what was published before, and lets go of everything. A second call does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const rest = this.#atRest();
    if (rest) await rest;
    this.#outbox.flush();
    for (const subscription of this.#registry.all()) subscription.fail(closed());
    this.#outbox.stop(closed());
    this.#revocation.close();
    await this.#feed?.close();
    this.emit('close');
  }

  readonly #head = (): number => this.#buffer.head;

  readonly #requireOpen = (): void => {
    if (this.#isClosed) throw closed();
  };

  /** The one way in for what is published, here or through the log: fence first, then let it be found, then wake. */
  readonly #accept = (batch: EncodedBatch, refs: readonly AclRef[]): void => {
    this.#step(() => {
      this.#revocation.expireDue();
      this.#outbox.flushBefore(this.#buffer.wouldTrimUpTo(batch.bytes));
      if (refs.length > 0) this.#revocation.change(refs, batch.index);
      // News of ACLs alone has no index of its own without a log.
      if (batch.index > this.#buffer.head) this.#append(batch);
    });
  };

  /** Runs a step that writes to transports, which may act upon the broker: what they publish and change, and what listeners are to be told, waits until it is over. */
  #step<R>(step: () => R): R {
    const untold: (() => void)[] = (this.#untold = []);
    try {
      return step();
    } finally {
      this.#untold = undefined;
      for (const tell of untold) tell();
    }
  }

  /** Resolves when the step under way is over; undefined when none is. */
  readonly #atRest = (): Promise<void> | undefined => this.#untold && new Promise((resolve) => this.#later(resolve));

  #append(batch: EncodedBatch): void {
    this.#buffer.append(batch);
    this.#publishedBatches++;
    this.#publishedEvents += batch.events.length;
    this.#interests.match(batch, this.#offer);
  }

  readonly #offer = (interest: Interest, batch: EncodedBatch): void => {
    if (interest.offer(batch.part(interest.hits))) this.#outbox.add(interest, batch.index);
  };

  async #authorize<R>(request: CheckedSubscribe, use: (acl: Acl) => R): Promise<R> {
    try {
      if (request.acl !== undefined) return use(this.#revocation.unexpired(request.acl));
      if (this.#acl === undefined) return use(Acl.management);
      return await this.#revocation.open(request.token, use);
    } catch (error) {
      if (BrokerError.is(error) && error.code === 'permission_denied') this.#denied(request, error.cause);
      throw error;
    }
  }

  #denied({ filter, namespaces }: CheckedSubscribe, cause: unknown): void {
    this.emit('denied', { topics: String(filter), namespaces: namespaces.names, cause });
  }

  /** Where such a start can lie: the log is asked only where the buffer does not reach. */
  #rangeFor({ index, epoch }: CheckedSubscribe): Range | Promise<Range> {
    const { first, head } = this.#buffer;
    const isHere =
      index === 'latest' || (index >= first && (epoch === undefined || (epoch === this.#epoch && index <= head + 1)));
    return isHere || !this.#feed ? { first, head: Infinity } : this.#feed.state();
  }

  /** Runs in one turn with the answer about the rights, so that no change can come between. */
  #open(request: CheckedSubscribe, acl: Acl, range: Range): Subscription {
    this.#requireOpen();
    const from = { ...range, buffer: this.#buffer, epoch: this.#epoch, isPrecise: this.#feed === undefined };
    return this.#registry.open(this.#host, request, acl, from);
  }

  /** The log was opened, is another one, or came back shorter: the indexes go on after its head. */
  #restart({ epoch, first, head }: LogState): void {
    const isSame = epoch === this.#epoch;
    this.#epoch = epoch;
    this.#begin(head, (subscription) => {
      if (isSame) subscription.lose('ahead', head + 1);
      else subscription.lose('restarted', first, epoch);
    });
  }

  /** The log was trimmed faster than it was followed. */
  #skipped(first: number): void {
    this.#begin(first - 1, (subscription) => subscription.lose('trimmed', first));
  }

  /** The buffer begins anew after `head`. What was not seen may have changed ACLs: everybody's rights are checked. */
  #begin(head: number, lose: (subscription: Subscription) => void): void {
    this.#step(() => this.#outbox.flush());
    const subscriptions = this.#registry.all();
    for (const subscription of subscriptions) subscription.part();
    this.#revocation.changeAll();
    this.#buffer.restart(head);
    this.#interests.restart(head);
    for (const subscription of subscriptions) lose(subscription);
  }

  #makeRevocation(timeoutMs: number): Revocation {
    return new Revocation({ source: this.#acl, clock: this.#clock, timeoutMs, head: this.#head });
  }

  #makeFeed(log: EventLog, waitWhenDown: boolean): LogFeed {
    return new LogFeed(log, this.#topics, waitWhenDown, {
      restart: (state) => this.#later(() => this.#restart(state)),
      accept: (batch, refs) => this.#later(() => this.#accept(batch, refs)),
      skipped: (first) => this.#later(() => this.#skipped(first)),
      status: (status, cause) => void this.emit('log', { status, cause }),
    });
  }

  #makeRegistry(maxSubscriptions: number): Registry {
    return new Registry({
      topics: this.#topics,
      interests: this.#interests,
      revocation: this.#revocation,
      head: this.#head,
      notify: (name, ...args) => this.#later(() => this.emit(name, ...(args as never))),
      maxSubscriptions,
    });
  }

  #makePublisher(log: EventLog | undefined): Publisher {
    return new Publisher({
      topics: this.#topics,
      feed: this.#feed,
      capabilities: log?.capabilities,
      head: this.#head,
      accept: this.#accept,
      atRest: this.#atRest,
      requireOpen: this.#requireOpen,
    });
  }

  #makeHost(): SubscriptionHost {
    return {
      buffer: this.#buffer,
      history: this.#feed,
      clock: this.#clock,
      outbox: this.#outbox,
      epoch: () => this.#epoch,
      registry: this.#registry,
    };
  }

  #later(tell: () => void): void {
    if (this.#untold) this.#untold.push(tell);
    else tell();
  }
}

function bound<Name extends string>(options: { readonly [K in Name]?: number }, name: Name, byDefault: number): number {
  const value: number = options[name] ?? byDefault;
  if (value >= 1) return value;
  throw new TypeError(`${name} must be at least 1; got ${value}.`);
}
