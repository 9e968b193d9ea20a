import type { AclSource } from '../../acl/acl-resolver.ts';
import { Acl } from '../../acl/acl.ts';
import type { Revocation } from '../../acl/revocation.ts';
import type { EventBuffer } from '../backlog/event-buffer.ts';
import type { Reader } from '../delivery/reader.ts';
import type { LogFeed } from '../log/log-feed.ts';
import { BrokerError } from '../../model/errors.ts';
import type { Topics } from '../../model/topics.ts';
import type { Notify } from './broker-notifications.ts';
import type { Lifetime } from './lifetime.ts';
import { mayRead } from './requirements.ts';
import { startOf, type StartRange } from './start-position.ts';
import type { CheckedSubscribe } from './subscribe-request.ts';
import type { SubscriptionRegistry } from './subscription-registry.ts';

export interface AdmissionParts {
  readonly topics: Topics;
  readonly source: AclSource | undefined;
  readonly revocation: Revocation;
  readonly buffer: EventBuffer;
  readonly feed: LogFeed | undefined;
  readonly registry: SubscriptionRegistry;
  readonly lifetime: Lifetime;
  readonly notify: Notify;
  readonly maxSubscriptions: number;
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
   * @throws BrokerError `permission_denied`, `acl_unavailable`, `at_capacity`, `gap`, `restarted`, `closed`,
   * `log_unavailable`; the signal's reason when it is aborted
   */
  async open(request: CheckedSubscribe): Promise<Reader> {
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

  async #withRights<R>(request: CheckedSubscribe, use: (acl: Acl) => R): Promise<R> {
    const { revocation, source } = this.#parts;
    try {
      if (request.acl !== undefined) return use(revocation.unexpired(request.acl));
      if (source === undefined) return use(Acl.management);
      return await revocation.open(request.token, use);
    } catch (error) {
      if (BrokerError.is(error) && error.code === 'permission_denied') this.#tellDenied(request, error.cause);
      throw error;
    }
  }

  #admit(request: CheckedSubscribe, acl: Acl, range: StartRange): Reader {
    const { topics, buffer, feed, registry, lifetime, maxSubscriptions } = this.#parts;
    lifetime.requireOpen();
    request.signal?.throwIfAborted();
    if (!mayRead(acl, request, topics)) {
      throw new BrokerError('permission_denied', 'Permission denied.', { cause: new Error('insufficient') });
    }
    if (registry.size >= maxSubscriptions)
      throw new BrokerError('at_capacity', `All ${maxSubscriptions} subscriptions are open.`);
    return registry.open(request, acl, startOf(request, { ...range, buffer, isPrecise: feed === undefined }));
  }

  #tellDenied({ filter, namespaces }: CheckedSubscribe, cause: unknown): void {
    this.#parts.notify('denied', { topics: String(filter), namespaces: namespaces.names, cause });
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
