/// <reference lib="esnext.disposable" preserve="true" />
import { refsOf, type AclChange } from '../../acl/acl-change.ts';
import type { AclSource } from '../../acl/acl-resolver.ts';
import { Revocation } from '../../acl/revocation.ts';
import { checkBuffer, EventBuffer } from '../backlog/event-buffer.ts';
import { RemovalRules } from '../backlog/removal-rules.ts';
import { RetainedState } from '../backlog/retained-state.ts';
import { FlushQueue } from '../delivery/flush-queue.ts';
import { Rotation } from '../delivery/rotation.ts';
import { StallWatch } from '../delivery/stall-watch.ts';
import type { Subscription } from '../delivery/subscription.ts';
import type { EventLog } from '../log/event-log.ts';
import { LogFeed, type LogFeedHost } from '../log/log-feed.ts';
import { InterestIndex } from '../matching/interest-index.ts';
import { systemClock, type Clock } from '../../model/clock.ts';
import { PendingWork } from '../../model/pending-work.ts';
import type { EventOf, NewEventOf, TopicMap } from '../../model/topic-types.ts';
import { openTopics, type Topics } from '../../model/topics.ts';
import { Admission, type ManagementCredentials } from './admission.ts';
import { BatchIntake } from './batch-intake.ts';
import { bound, checkBroker, type EventBrokerOptions } from './broker-options.ts';
import type { BrokerNotifications, Notify } from './broker-notifications.ts';
import type { BrokerStats } from './broker-stats.ts';
import { Closing } from './closing.ts';
import { Diagnostics } from './diagnostics.ts';
import { checkClose, type CloseOptions } from './drain.ts';
import { checkLimits, type CheckedLimits } from './limits.ts';
import { Lifetime } from './lifetime.ts';
import { Notifications } from './notifications.ts';
import type { PublishOptions } from './publish-request.ts';
import { Publisher } from './publisher.ts';
import { ReentryGate } from './reentry-gate.ts';
import type { ReadableTopic, ReadableTopicsOptions } from './readable-topics.ts';
import { Refusals } from './refusals.ts';
import { hostAnswers } from './host-answers.ts';
import { explainRequest, type SubscribeExplanation } from './explaining.ts';
import type { ViewParts } from './rights-view.ts';
import { snapshotOf, type StateOptions, type StateSnapshot } from './state-snapshot.ts';
import type { SubscribeOptions } from './subscribe-request.ts';
import type { SubscriptionInfo } from './subscription-info.ts';
import { SubscriptionRegistry } from './subscription-registry.ts';
import { VisibleRules } from './visible-rules.ts';

export type { EventBrokerOptions } from './broker-options.ts';

/**
 * The broker: publish on one side, subscribe on the other. It makes the parts, joins them, and has no algorithm of its
 * own; ARCHITECTURE.md shows the way that a batch takes through them.
 *
 * An `eventemitter3` emitter of {@link BrokerNotifications}; a listener that throws harms nobody.
 *
 * ```ts
 * const broker = new EventBroker({ topics });
 * const subscription = await broker.subscribe({ topics: ['Job:web'] });
 * await broker.publish({ topic: 'Job', type: 'JobRegistered', key: 'web', payload: { Job: job } });
 * for await (const { index, events } of subscription) …
 * ```
 */
export class EventBroker<
  T extends TopicMap = TopicMap,
  Name extends string = string,
> extends Notifications<BrokerNotifications> {
  /** Untyped inside: the types are checked at the door, by `publish` and `subscribe`. */
  readonly #topics: Topics;
  readonly #source: AclSource | undefined;
  readonly #clock: Clock;
  readonly #gate = new ReentryGate();
  readonly #lifetime = new Lifetime();
  readonly #diagnostics = new Diagnostics(this);
  readonly #buffer: EventBuffer;
  readonly #removal: RemovalRules;
  readonly #state: RetainedState;
  readonly #limits: CheckedLimits;
  readonly #refusals: Refusals;
  readonly #view: ViewParts & { readonly rules: VisibleRules };
  readonly #interests: InterestIndex;
  readonly #queue: FlushQueue;
  readonly #stalls: StallWatch;
  readonly #rotation: Rotation;
  readonly #endings = new PendingWork();
  readonly #revocation: Revocation;
  readonly #feed: LogFeed | undefined;
  readonly #registry: SubscriptionRegistry;
  readonly #intake: BatchIntake;
  readonly #publisher: Publisher;
  readonly #admission: Admission;
  readonly #closing: Closing;

  /** @throws TypeError for an option that is not known or out of its range */
  constructor(options: EventBrokerOptions<T, Name> = {}) {
    super();
    checkBroker(options);
    const { clock = systemClock, random = Math.random, log, acl } = options;
    const timeoutMs = bound(options, 'reauthorizeTimeoutMs', 5000);
    this.#topics = (options.topics as unknown as Topics | undefined) ?? openTopics;
    if (acl?.rights) this.#topics.checkNeeds(acl.rights);
    this.#source = acl;
    this.#clock = clock;
    this.#limits = checkLimits({ subscriptions: bound(options, 'maxSubscriptions', 100_000), ...options.limits });
    this.#refusals = new Refusals(this.#notify);
    this.#view = this.#makeView(clock);
    this.#buffer = new EventBuffer(options.buffer);
    this.#removal = this.#makeRemoval();
    this.#state = new RetainedState(this.#topics, this.#removal, checkBuffer(options.buffer));
    // What a log holds of it is read first.
    if (log) this.#state.restart();
    this.#interests = new InterestIndex(this.#limits);
    this.#queue = new FlushQueue(clock, options.flush ?? {}, (flush) => this.#gate.run(flush));
    this.#stalls = new StallWatch(clock, bound(options, 'stalledMs', 60_000));
    this.#rotation = new Rotation(clock, bound(options, 'maxStreamMs', Infinity), random);
    this.#revocation = this.#makeRevocation(clock, timeoutMs);
    this.#feed = log && this.#makeFeed(log, clock, options.publishWhenDown === 'wait');
    this.#registry = this.#makeRegistry(clock);
    this.#intake = this.#makeIntake();
    this.#publisher = this.#makePublisher(log);
    this.#admission = this.#makeAdmission(clock, timeoutMs);
    const stopTelling = acl?.onUnreadable?.((notice) => this.#notify('unreadablePolicy', notice));
    this.#closing = this.#makeClosing(clock, random, stopTelling);
  }

  /**
   * Names this run of indexes: another epoch means that earlier indexes mean nothing here. With a log, it is the log's.
   */
  get epoch(): string {
    return this.#buffer.epoch;
  }

  /** The topics that it was made with. */
  get topics(): Topics<T, Name> {
    return this.#topics as unknown as Topics<T, Name>;
  }

  /**
   * Publishes one event, or several as one batch. The payloads are copied: what the caller changes later does not
   * change them.
   *
   * Where a topic has a schema, its output is what is published. All payloads are checked before any is published; the
   * `bad_request` of one that does not fit has `issues`.
   *
   * Without a log the batch is there for `poll()` when the call returns; with one, the promise resolves when the log
   * has acknowledged it.
   * @returns the batch's index
   * @throws (rejects) BrokerError `bad_request`, `index_conflict`, `not_supported`, `closed`, `log_unavailable`,
   * `at_capacity`: nothing was published then; `unpublished` where a `commit` went before. TypeError for an option that
   * is not known, and for a schema that answers with a promise
   */
  async publish(events: NewEventOf<T> | readonly NewEventOf<T>[], options: PublishOptions = {}): Promise<number> {
    return this.#publisher.publish(events, options);
  }

  /**
   * Resolves when the log is open and followed, and what it holds of the state was read; at once without a log. The
   * first subscription does the same by itself. Wait for it before the first publish inside a transaction: on a small
   * pool of connections that are all taken by transactions, opening the log could else wait for a connection while they
   * wait for it.
   * @throws (rejects) BrokerError `log_unavailable`, `closed`; a further call tries again
   */
  async ready(): Promise<void> {
    this.#lifetime.requireOpen();
    await this.#feed?.ready();
    await this.#feed?.whenLoaded();
    this.#lifetime.requireOpen();
  }

  /**
   * What a subscriber to the state would be handed now: of each key of topics with `retain: 'latest'` the newest event,
   * as far as these rights show it. For a REST answer, and to render a page on the server: `index` + 1 and `epoch` are
   * where a stream goes on.
   * @throws TypeError for an option that is not known, or no `acl` where the broker has one; BrokerError `bad_request`,
   * `permission_denied`, `log_unavailable` before what a log holds was read: see {@link ready}, `closed`
   */
  state(options: StateOptions<Name> = {}): StateSnapshot<EventOf<T>> {
    this.#lifetime.requireOpen();
    const parts = { ...this.#view, buffer: this.#buffer, state: this.#state, clock: this.#clock };
    const snapshot = snapshotOf(options, { ...parts, needsAcl: this.#source !== undefined });
    return snapshot as unknown as StateSnapshot<EventOf<T>>;
  }

  /**
   * Where a stream goes on that starts now: spread it into `subscribe`, or hand it to a client. Take it *before* a
   * database is read: what is published meanwhile comes then, perhaps once more than needed. With a log, wait for
   * {@link ready} first.
   */
  get position(): { readonly index: number; readonly epoch: string } {
    return { index: this.#buffer.latestIndex + 1, epoch: this.#buffer.epoch };
  }

  /**
   * Tells that ACL objects changed elsewhere. Commit first, then call this. Subscriptions that depend on them are held
   * at the newest index (with a log: at this news' own place in it, in every process) until their rights are confirmed.
   */
  async aclChanged(changes: AclChange | readonly AclChange[]): Promise<void> {
    this.#lifetime.requireOpen();
    const refs = refsOf(changes);
    const idle = this.#gate.whenIdle();
    if (idle) await idle;
    if (this.#feed) await this.#feed.append([], refs, {});
    else this.#intake.changeAcls(refs);
  }

  /**
   * Opens a subscription. It sees what was published from its start on, what its rights let it see.
   * @throws (rejects) BrokerError `bad_request`, `permission_denied`, `acl_unavailable`, `gap` or `restarted` (with
   * `onGap: 'fail'`), `at_capacity`, `closed`, `log_unavailable`; the signal's reason when it is aborted; TypeError for
   * an option that is not known
   */
  async subscribe(options: SubscribeOptions<Name> = {}): Promise<Subscription<EventOf<T>>> {
    const reader = await this.#admission.open(options);
    return reader as unknown as Subscription<EventOf<T>>;
  }

  /**
   * Why such a subscription is allowed or denied: which need is met by which policy through which role, and what a
   * topic's rule answers of an event. For operators and tests; never for clients.
   * @param about an event that might be published
   * @throws BrokerError `not_supported` for a token without a resolver that can tell; `bad_request`; what a function of
   * the host's throws
   */
  async explain(options: SubscribeOptions<Name> = {}, about?: NewEventOf<T>): Promise<SubscribeExplanation> {
    const request = await this.#admission.check(options);
    const [source, clock, limits, revocation] = [this.#source, this.#clock, this.#limits, this.#revocation];
    const parts = { ...this.#view, source, clock, limits, revocation };
    return explainRequest(request, about, parts);
  }

  /** A plain snapshot; taking it costs little. */
  stats(): BrokerStats {
    return {
      ...this.#registry.stats(),
      ...this.#intake.stats(),
      refused: this.#refusals.counts,
      waitingReads: this.#feed?.waitingReads ?? 0,
      ruleFaults: this.#view.rules.faults,
      interests: this.#interests.size,
      bufferedBatches: this.#buffer.length,
      bufferedBytes: this.#buffer.bytes,
      oldestIndex: this.#buffer.indexAt(this.#buffer.oldest ?? 0),
      latestIndex: this.#buffer.latestIndex,
      retainedKeys: this.#state.size,
      retainedBytes: this.#state.bytes,
      rememberedRemovals: this.#state.removals,
      skippedEvents: this.#state.skipped,
      epoch: this.#buffer.epoch,
      listenerErrors: this.listenerErrors,
      log: this.#feed?.status,
    };
  }

  /**
   * The open subscriptions, those first that were opened first: a plain snapshot that holds no secret. For operators:
   * whoever gets it sees what everybody reads. Cost: about a microsecond for each.
   */
  subscriptions(): readonly SubscriptionInfo[] {
    return this.#registry.list();
  }

  /**
   * For an operator's endpoints of the host's own: resolves where such a token, or such rights, are management's. A
   * broker without `acl` knows no tokens, so that it denies every token, and none; give it the host's own `acl`.
   * @throws (rejects) BrokerError `permission_denied`, `acl_unavailable`, `bad_request`, `internal`, `closed`;
   * TypeError for an option that is not known
   */
  requireManagement(credentials: ManagementCredentials = {}): Promise<void> {
    return this.#admission.requireManagement(credentials);
  }

  /**
   * The declared topics of which somebody may see something: for a list to choose from. Empty where any name is a topic
   * (a broker without `topics`).
   * @throws (rejects) BrokerError `permission_denied` for a token that is not known, `acl_unavailable`, `bad_request`,
   * `internal`, `closed`; TypeError for an option that is not known
   */
  readableTopics(options: ReadableTopicsOptions = {}): Promise<readonly ReadableTopic[]> {
    return this.#admission.readableTopics(options);
  }

  /**
   * Ends every stream with the reason `closed`, after what was published before, and lets go of everything. A second
   * call waits for the first.
   *
   * With `drainMs`, nobody is let in from the call on (`closed`, a 503 with `Retry-After`). The streams on transports
   * go on, and end one after the other, spread over that time, each with the place to resume from; what is published
   * meanwhile reaches those that are left. Then what is read in process ends, and it waits for last bytes that peers
   * have not taken and appends that the log has not answered. It has resolved when the time is over, and earlier where
   * nobody is left: also with a peer that reads nothing, and a store or a log that hangs.
   * @throws (rejects) TypeError for an option that is not known or out of its range; nothing has changed then
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const drainMs = checkClose(options);
    await this.#closing.close(drainMs);
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #notify: Notify = (name, ...args) => this.#gate.defer(() => this.#diagnostics.tell(name, args));

  #makeView(clock: Clock): ViewParts & { readonly rules: VisibleRules } {
    const topics = this.#topics;
    const rules = new VisibleRules({ topics, clock, notify: this.#notify });
    return { topics, rules, maxPlaces: this.#limits.placesPerRequest };
  }

  #makeRemoval(): RemovalRules {
    const { rules } = this.#view;
    return new RemovalRules(this.#topics, (topic, error) => rules.report({ topic, accessorId: undefined, error }));
  }

  #makeRevocation(clock: Clock, timeoutMs: number): Revocation {
    return new Revocation({ source: this.#source, clock, timeoutMs, newest: this.#buffer });
  }

  #makeFeed(log: EventLog, clock: Clock, waitsWhenDown: boolean): LogFeed {
    const host: LogFeedHost = {
      epoch: () => this.#intake.epoch(),
      restart: (state) => this.#intake.restart(state),
      accept: (batch, refs) => this.#intake.accept(batch, refs),
      unreadable: (index) => this.#intake.unreadable(index),
      skipped: (first) => this.#intake.skipped(first),
      status: (status, cause, progress) => this.#intake.status(status, cause, progress),
      loaded: (older) => this.#intake.loaded(older),
    };
    const { historyReads } = this.#limits;
    const [topics, state, removal] = [this.#topics, this.#state, this.#removal];
    return new LogFeed({ log, topics, state, removal, waitsWhenDown, historyReads, clock, host });
  }

  #makeRegistry(clock: Clock): SubscriptionRegistry {
    return new SubscriptionRegistry({
      ...this.#view,
      buffer: this.#buffer,
      interests: this.#interests,
      revocation: this.#revocation,
      notify: this.#notify,
      diagnostics: this.#diagnostics,
      refusals: this.#refusals,
      context: {
        buffer: this.#buffer,
        history: this.#feed,
        interests: this.#interests,
        state: this.#state,
        topics: this.#topics,
        clock,
        queue: this.#queue,
        stalls: this.#stalls,
        rotation: this.#rotation,
        endings: this.#endings,
        gate: this.#gate,
      },
    });
  }

  #makeIntake(): BatchIntake {
    return new BatchIntake({
      gate: this.#gate,
      buffer: this.#buffer,
      state: this.#state,
      interests: this.#interests,
      queue: this.#queue,
      revocation: this.#revocation,
      registry: this.#registry,
      notify: this.#notify,
    });
  }

  #makePublisher(log: EventLog | undefined): Publisher {
    return new Publisher({
      topics: this.#topics,
      feed: this.#feed,
      capabilities: log?.capabilities,
      buffer: this.#buffer,
      intake: this.#intake,
      gate: this.#gate,
      lifetime: this.#lifetime,
      diagnostics: this.#diagnostics,
      limits: this.#limits,
      refusals: this.#refusals,
    });
  }

  #makeAdmission(clock: Clock, timeoutMs: number): Admission {
    return new Admission({
      ...this.#view,
      revocation: this.#revocation,
      buffer: this.#buffer,
      state: this.#state,
      feed: this.#feed,
      registry: this.#registry,
      lifetime: this.#lifetime,
      notify: this.#notify,
      limits: this.#limits,
      diagnostics: this.#diagnostics,
      refusals: this.#refusals,
      ask: hostAnswers(clock, timeoutMs),
    });
  }

  #makeClosing(clock: Clock, random: () => number, stopTelling: (() => void) | undefined): Closing {
    return new Closing({
      clock,
      random,
      gate: this.#gate,
      lifetime: this.#lifetime,
      queue: this.#queue,
      registry: this.#registry,
      feed: this.#feed,
      endings: this.#endings,
      stop: [this.#stalls, { stop: () => this.#revocation.close() }, { stop: () => stopTelling?.() }],
      tell: () => this.emit('close'),
    });
  }
}
