import { AclDenial } from '../../acl/acl-denial.ts';
import type { Acl } from '../../acl/acl.ts';
import { findingOf } from '../../acl/explain.ts';
import type { Revocation } from '../../acl/revocation.ts';
import type { EventBuffer } from '../backlog/event-buffer.ts';
import type { RetainedState } from '../backlog/retained-state.ts';
import type { Reader } from '../delivery/reader.ts';
import type { LogFeed } from '../log/log-feed.ts';
import type { Asked } from '../matching/interest.ts';
import { BrokerError, permissionDenied } from '../../model/errors.ts';
import { checkOptions } from '../../model/options.ts';
import { limitError } from '../../model/limit-error.ts';
import type { Topics } from '../../model/topics.ts';
import type { Notify } from './broker-notifications.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { SubscribeMessage } from './diagnostics-messages.ts';
import type { AskHost } from './host-answers.ts';
import type { Lifetime } from './lifetime.ts';
import type { CheckedLimits } from './limits.ts';
import { readableTopicsOf, type ReadableTopic, type ReadableTopicsOptions } from './readable-topics.ts';
import type { Refusals } from './refusals.ts';
import { firstUnmet, viewOf, type ScopedRequest, type View, type ViewParts } from './rights-view.ts';
import { startOf, type StartRange } from './start-position.ts';
import { stateStartOf } from './state-start.ts';
import { askScoped, checkSubscribe, type CheckedSubscribe, type SubscribeOptions } from './subscribe-request.ts';
import type { SubscriptionRegistry } from './subscription-registry.ts';

export interface AdmissionParts extends ViewParts {
  readonly revocation: Revocation;
  readonly buffer: EventBuffer;
  readonly state: RetainedState;
  readonly feed: LogFeed | undefined;
  readonly registry: SubscriptionRegistry;
  readonly lifetime: Lifetime;
  readonly notify: Notify;
  readonly limits: CheckedLimits;
  readonly diagnostics: Diagnostics;
  readonly refusals: Refusals;
  /** Asks the host's functions that find a token or a pin. */
  readonly ask: AskHost;
}

/** Who asks for what is management's: a token's secret, or a function that finds it; or rights. */
export type ManagementCredentials = Pick<SubscribeOptions, 'token' | 'acl'>;

/** What is known by now of a request that may be refused. */
interface Known {
  asked?: ScopedRequest;
  accessorId?: string | undefined;
}

/** What was found out with the rights, and is as new as they are. */
interface Looked {
  readonly asked: ScopedRequest;
  /** Undefined where the rights do not suffice. */
  readonly view: View | undefined;
  readonly range: StartRange;
}

/**
 * May a subscription be opened, with which rights, and from where: the one owner of these questions. The last of them
 * are asked in the very turn in which the rights were answered, so that no change can come between the answer and the
 * guard over it.
 */
export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /**
   * @throws BrokerError `bad_request`, `permission_denied`, `acl_unavailable`, `at_capacity`, `gap`, `restarted`,
   * `closed`, `log_unavailable`, `internal`; the signal's reason when it is aborted
   */
  open(options: SubscribeOptions): Promise<Reader> {
    return this.#parts.diagnostics.subscribe((message) => this.#open(options, message));
  }

  /**
   * Fails closed: who is known by nothing is no manager, also where there are no ACLs and everybody may read all.
   * @throws BrokerError `permission_denied`, `acl_unavailable`, `internal`, `closed`
   */
  async requireManagement(credentials: ManagementCredentials): Promise<void> {
    checkOptions<ManagementCredentials>(credentials, { token: true, acl: true }, 'requireManagement');
    const { revocation, lifetime } = this.#parts;
    lifetime.requireOpen();
    await this.#tellingDenials(async () => {
      const { credential } = await this.check(credentials);
      const isKnown = revocation.hasSource || typeof credential === 'function' || typeof credential === 'object';
      await revocation.open(credential, nothingElse, ({ isManagement, accessorId }) => {
        if (!isManagement || !isKnown) throw permissionDenied(new AclDenial('insufficient', accessorId));
      });
    });
  }

  /**
   * The topics of which such rights show something, within what is pinned.
   * @throws BrokerError `permission_denied`, `acl_unavailable`, `bad_request`, `internal`, `closed`
   */
  async readableTopics(options: ReadableTopicsOptions): Promise<readonly ReadableTopic[]> {
    checkOptions<ReadableTopicsOptions>(options, { token: true, acl: true, pin: true }, 'readableTopics');
    const { revocation, lifetime } = this.#parts;
    lifetime.requireOpen();
    return this.#tellingDenials(async () => {
      const request = await this.check({ ...options, scope: 'allowed' });
      const ask = (): ScopedRequest | Promise<ScopedRequest> => askScoped(request);
      return revocation.open(request.credential, ask, (acl, asked) => readableTopicsOf(asked, acl, this.#parts));
    });
  }

  async #tellingDenials<R>(call: () => Promise<R>): Promise<R> {
    try {
      return await call();
    } catch (error) {
      if (BrokerError.is(error) && isForHost(error)) this.#tellDenied(undefined, error);
      throw error;
    }
  }

  async #open(options: SubscribeOptions, message: SubscribeMessage | undefined): Promise<Reader> {
    const known: Known = {};
    const know = (scoped: ScopedRequest): ScopedRequest => {
      if (message) tell(message, scoped);
      return (known.asked = scoped);
    };
    try {
      this.#parts.lifetime.requireAdmitting();
      const request = await this.check(options);
      const { scoped } = request;
      if (typeof scoped === 'object') know(scoped);
      const reader = await this.#opened(request, known, async () => know(await askScoped(request)));
      if (message) message.accessorId = this.#parts.registry.noticeOf(reader)?.accessorId;
      return reader;
    } catch (error) {
      if (message && BrokerError.is(error) && AclDenial.is(error.cause)) message.accessorId = error.cause.accessorId;
      if (BrokerError.is(error) && isForHost(error)) this.#tellDenied(known.asked, error);
      this.#parts.refusals.note(error, { ...aboutOf(known.asked), accessorId: known.accessorId });
      throw error;
    }
  }

  /** What is asked for, once the host has found the token. */
  check(options: SubscribeOptions): CheckedSubscribe | Promise<CheckedSubscribe> {
    return checkSubscribe(options, this.#parts);
  }

  async #opened(request: CheckedSubscribe, known: Known, ask: () => Promise<ScopedRequest>): Promise<Reader> {
    const { buffer, feed, revocation } = this.#parts;
    await feed?.ready();
    if (request.isState) await feed?.whenLoaded();
    // Rights first: who has none must not make the server ask its log, which may be a database. Where the indexes begin
    // anew meanwhile, all rights are in question: revocation looks again, and finds another start.
    const look = async (acl: Acl): Promise<Looked> => {
      known.accessorId = acl.accessorId;
      const asked = await ask();
      const view = viewOf(asked, acl, this.#parts);
      const { first, head } = buffer;
      return { asked, view, range: view ? await this.#rangeFor(request) : { first, head } };
    };
    return revocation.open(request.credential, look, (acl, found) => this.#admit(request, acl, found));
  }

  #admit(request: CheckedSubscribe, acl: Acl, { asked, view, range }: Looked): Reader {
    const { buffer, state, feed, registry, lifetime, topics } = this.#parts;
    lifetime.requireAdmitting();
    request.signal?.throwIfAborted();
    if (view === undefined) throw insufficient(acl, asked, topics);
    this.#requireRoom(acl);
    const isPrecise = feed === undefined;
    const isNarrowed = asked.scope === 'allowed' || typeof request.scoped === 'function';
    return registry.open(request, asked, acl, view, (interest) =>
      request.isState
        ? stateStartOf(request, interest, { buffer, state, topics, isPrecise, isNarrowed })
        : startOf({ ...request, ...view }, { ...range, buffer, isPrecise }),
    );
  }

  /** Those that are open stay: who comes last is refused. */
  #requireRoom({ accessorId }: Acl): void {
    const { registry, limits } = this.#parts;
    const { subscriptions, subscriptionsPerToken } = limits;
    if (accessorId !== undefined && registry.sizeOf(accessorId) >= subscriptionsPerToken) {
      const message = `All ${subscriptionsPerToken} subscriptions that one token may have are open.`;
      throw limitError('subscriptionsPerToken', message);
    }
    if (registry.size >= subscriptions)
      throw limitError('subscriptions', `All ${subscriptions} subscriptions are open.`);
  }

  #tellDenied(asked: ScopedRequest | undefined, { cause }: BrokerError): void {
    const { accessorId, finding } = AclDenial.is(cause) ? cause : {};
    this.#parts.notify('denied', { ...aboutOf(asked), accessorId, finding, cause });
  }

  /** Where such a start can lie: the log is asked only where the buffer does not reach. */
  #rangeFor({ index, epoch, isState }: CheckedSubscribe): StartRange | Promise<StartRange> {
    const { buffer, feed } = this.#parts;
    const { first, head } = buffer;
    if (feed === undefined || index === 'latest' || isState) return { first, head };
    const isHere = index >= first && index <= head + 1 && (epoch === undefined || epoch === buffer.epoch);
    return isHere ? { first, head } : feed.state();
  }
}

const nothingElse = (): void => undefined;

function tell(message: SubscribeMessage, { filter, namespaces }: ScopedRequest): void {
  message.topics = String(filter);
  message.namespaces = namespaces.names;
}

/** What was asked for, as notifications tell it. */
const aboutOf = (asked: ScopedRequest | undefined) => ({
  topics: asked ? String(asked.filter) : '',
  namespaces: asked?.namespaces.names ?? [],
});

/** Of these the client is told as little as can be; the host hears why. */
const isForHost = ({ code }: BrokerError): boolean =>
  code === 'permission_denied' || code === 'acl_unavailable' || code === 'internal';

function insufficient(acl: Acl, asked: Asked, topics: Topics): BrokerError {
  const need = firstUnmet(acl, asked, topics);
  return permissionDenied(new AclDenial('insufficient', acl.accessorId, need && findingOf(acl, need)));
}
