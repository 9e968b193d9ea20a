import { AclDenial } from '../../acl/acl-denial.ts';
import type { AclSource } from '../../acl/acl-resolver.ts';
import { Acl } from '../../acl/acl.ts';
import { findingOf } from '../../acl/explain.ts';
import type { Revocation } from '../../acl/revocation.ts';
import type { EventBuffer } from '../backlog/event-buffer.ts';
import type { Reader } from '../delivery/reader.ts';
import type { LogFeed } from '../log/log-feed.ts';
import type { Asked } from '../matching/interest.ts';
import type { Clock } from '../../model/clock.ts';
import { BrokerError } from '../../model/errors.ts';
import type { Topics } from '../../model/topics.ts';
import type { Notify } from './broker-notifications.ts';
import { answered } from './host-answers.ts';
import type { Lifetime } from './lifetime.ts';
import type { CheckedLimits } from './limits.ts';
import { firstUnmet, viewOf, type ViewParts } from './rights-view.ts';
import { startOf, type StartRange } from './start-position.ts';
import {
  checkSubscribe,
  checkSubscribeOptions,
  type CheckedSubscribe,
  type SubscribeOptions,
} from './subscribe-request.ts';
import type { SubscriptionRegistry } from './subscription-registry.ts';

export interface AdmissionParts extends ViewParts {
  readonly source: AclSource | undefined;
  readonly revocation: Revocation;
  readonly buffer: EventBuffer;
  readonly feed: LogFeed | undefined;
  readonly registry: SubscriptionRegistry;
  readonly lifetime: Lifetime;
  readonly notify: Notify;
  readonly limits: CheckedLimits;
  readonly clock: Clock;
  /** How long the host's functions may take, in ms. */
  readonly timeoutMs: number;
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
  async open(options: SubscribeOptions): Promise<Reader> {
    let request: CheckedSubscribe | undefined;
    try {
      request = await this.check(options);
      return await this.#opened(request);
    } catch (error) {
      if (BrokerError.is(error) && isForHost(error)) this.#tellDenied(request, error);
      throw error;
    }
  }

  /** What is asked for, once the host's functions have answered. */
  check(options: SubscribeOptions): CheckedSubscribe | Promise<CheckedSubscribe> {
    checkSubscribeOptions(options);
    const { clock, timeoutMs, topics, limits } = this.#parts;
    const plain = answered(options, clock, timeoutMs);
    return plain instanceof Promise
      ? plain.then((late) => checkSubscribe(late, topics, limits))
      : checkSubscribe(plain, topics, limits);
  }

  async #opened(request: CheckedSubscribe): Promise<Reader> {
    const { buffer, feed } = this.#parts;
    for (;;) {
      await feed?.ready();
      const { run } = buffer;
      const range = await this.#rangeFor(request);
      // Where the indexes began anew meanwhile, the start is another.
      const admit = (acl: Acl) => (run === buffer.run ? this.#admit(request, acl, range) : undefined);
      const reader = await this.#withRights(request, admit);
      if (reader !== undefined) return reader;
    }
  }

  #withRights<R>({ credential }: CheckedSubscribe, use: (acl: Acl) => R): R | Promise<R> {
    const { revocation, source } = this.#parts;
    const isTrusted = source === undefined && (credential === undefined || typeof credential === 'string');
    return revocation.open(isTrusted ? Acl.management : credential, use);
  }

  #admit(request: CheckedSubscribe, acl: Acl, range: StartRange): Reader {
    const { buffer, feed, registry, lifetime, limits, topics } = this.#parts;
    lifetime.requireOpen();
    request.signal?.throwIfAborted();
    const view = viewOf(request, acl, this.#parts);
    if (view === undefined) throw insufficient(acl, request, topics);
    if (registry.size >= limits.subscriptions)
      throw new BrokerError('at_capacity', `All ${limits.subscriptions} subscriptions are open.`);
    const start = startOf({ ...request, ...view }, { ...range, buffer, isPrecise: feed === undefined });
    return registry.open(request, acl, view, start);
  }

  #tellDenied(request: CheckedSubscribe | undefined, { cause }: BrokerError): void {
    const { accessorId, finding } = AclDenial.is(cause) ? cause : {};
    const asked = { topics: request ? String(request.filter) : '', namespaces: request?.namespaces.names ?? [] };
    this.#parts.notify('denied', { ...asked, accessorId, finding, cause });
  }

  /** Where such a start can lie: the log is asked only where the buffer does not reach. */
  #rangeFor({ index, epoch }: CheckedSubscribe): StartRange | Promise<StartRange> {
    const { buffer, feed } = this.#parts;
    const { first, head } = buffer;
    if (feed === undefined || index === 'latest') return { first, head };
    const isHere = index >= first && index <= head + 1 && (epoch === undefined || epoch === buffer.epoch);
    return isHere ? { first, head } : feed.state();
  }
}

/** Of these the client is told as little as can be; the host hears why. */
const isForHost = ({ code }: BrokerError): boolean =>
  code === 'permission_denied' || code === 'acl_unavailable' || code === 'internal';

function insufficient(acl: Acl, asked: Asked, topics: Topics): BrokerError {
  const need = firstUnmet(acl, asked, topics);
  const cause = new AclDenial('insufficient', acl.accessorId, need && findingOf(acl, need));
  return new BrokerError('permission_denied', 'Permission denied.', { cause });
}
