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
import type { Topics } from '../../model/topics.ts';
import type { Notify } from './broker-notifications.ts';
import type { AskHost } from './host-answers.ts';
import type { Lifetime } from './lifetime.ts';
import type { CheckedLimits } from './limits.ts';
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
  /** Asks the host's functions that find a token or a pin. */
  readonly ask: AskHost;
}

/** What was found out with the rights, and is as new as they are. */
interface Looked {
  readonly asked: ScopedRequest;
  /** Undefined where the rights do not suffice. */
  readonly view: View | undefined;
  /** The run of indexes that `range` is of. */
  readonly run: number;
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
  async open(options: SubscribeOptions): Promise<Reader> {
    let asked: ScopedRequest | undefined;
    try {
      const request = await this.check(options);
      const { scoped } = request;
      if (typeof scoped === 'object') asked = scoped;
      return await this.#opened(request, async () => (asked = await askScoped(request)));
    } catch (error) {
      if (BrokerError.is(error) && isForHost(error)) this.#tellDenied(asked, error);
      throw error;
    }
  }

  /** What is asked for, once the host has found the token. */
  check(options: SubscribeOptions): CheckedSubscribe | Promise<CheckedSubscribe> {
    return checkSubscribe(options, this.#parts);
  }

  async #opened(request: CheckedSubscribe, ask: () => Promise<ScopedRequest>): Promise<Reader> {
    const { buffer, feed, revocation } = this.#parts;
    for (;;) {
      await feed?.ready();
      if (request.isState) await feed?.whenLoaded();
      // Rights first: who has none must not make the server ask its log, which may be a database.
      const look = async (acl: Acl): Promise<Looked> => {
        const asked = await ask();
        const view = viewOf(asked, acl, this.#parts);
        const { run, first, head } = buffer;
        return { asked, view, run, range: view ? await this.#rangeFor(request) : { first, head } };
      };
      const reader = await revocation.open(request.credential, look, (acl, found) =>
        // Where the indexes began anew meanwhile, the start is another.
        found.run === buffer.run ? this.#admit(request, acl, found) : undefined,
      );
      if (reader !== undefined) return reader;
    }
  }

  #admit(request: CheckedSubscribe, acl: Acl, { asked, view, range }: Looked): Reader {
    const { buffer, state, feed, registry, lifetime, limits, topics } = this.#parts;
    lifetime.requireOpen();
    request.signal?.throwIfAborted();
    if (view === undefined) throw insufficient(acl, asked, topics);
    if (registry.size >= limits.subscriptions)
      throw new BrokerError('at_capacity', `All ${limits.subscriptions} subscriptions are open.`);
    const isPrecise = feed === undefined;
    const isNarrowed = asked.scope === 'allowed' || typeof request.scoped === 'function';
    return registry.open(request, asked, acl, view, (interest) =>
      request.isState
        ? stateStartOf(request, interest, { buffer, state, topics, isPrecise, isNarrowed })
        : startOf({ ...request, ...view }, { ...range, buffer, isPrecise }),
    );
  }

  #tellDenied(asked: ScopedRequest | undefined, { cause }: BrokerError): void {
    const { accessorId, finding } = AclDenial.is(cause) ? cause : {};
    const what = { topics: asked ? String(asked.filter) : '', namespaces: asked?.namespaces.names ?? [] };
    this.#parts.notify('denied', { ...what, accessorId, finding, cause });
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

/** Of these the client is told as little as can be; the host hears why. */
const isForHost = ({ code }: BrokerError): boolean =>
  code === 'permission_denied' || code === 'acl_unavailable' || code === 'internal';

function insufficient(acl: Acl, asked: Asked, topics: Topics): BrokerError {
  const need = firstUnmet(acl, asked, topics);
  return permissionDenied(new AclDenial('insufficient', acl.accessorId, need && findingOf(acl, need)));
}
