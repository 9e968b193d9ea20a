import { BrokerError, permissionDenied } from '../../model/errors.ts';
import { describe } from '../../model/describe.ts';
import { checkOptions } from '../../model/options.ts';
import type { Topics } from '../../model/topics.ts';
import { NamespaceFilter, type NamespaceInput } from '../matching/namespace-filter.ts';
import { TopicFilter, type TopicsInput } from '../matching/topic-filter.ts';
import type { Scope, ScopedRequest } from './rights-view.ts';

/**
 * What the host decides, whatever a client asks for: who asks for something else is denied, who asks for nothing gets
 * this. What is left out is the client's to choose.
 */
export interface SubscribePin<Name extends string = string> {
  readonly namespace?: NamespaceInput;
  readonly topics?: TopicsInput<Name>;
  readonly scope?: Scope;
}

const scopes: readonly unknown[] = ['all', 'allowed'] satisfies Scope[];

/**
 * What is asked for, within what is pinned.
 * @throws BrokerError `bad_request` for a request that is none, `permission_denied` for one outside the pin, `internal`
 * for a pin that is none: its cause, for the host alone, says why
 */
export function withinPin(asked: SubscribePin, pin: SubscribePin | undefined, topics: Topics): ScopedRequest {
  const pinned = readPin(pin, topics);
  const filter = asked.topics === undefined ? pinned.filter : TopicFilter.from(asked.topics);
  const scope = pinned.scope ?? checkScope(asked.scope ?? 'all');
  const namespaces = asked.namespace === undefined ? pinned.namespaces : NamespaceFilter.from(asked.namespace);
  // First: who is pinned to some topics must not learn the names of others.
  if (filter && pinned.filter && !pinned.filter.covers(filter)) throw outside('topics', filter, pinned.filter);
  for (const name of filter?.topics ?? []) topics.checkKnown(name, 'topic');
  if (namespaces && pinned.namespaces && !pinned.namespaces.covers(namespaces))
    throw outside('namespaces', namespaces, pinned.namespaces);
  return {
    filter: filter ?? TopicFilter.all,
    // All that somebody may see is in the namespaces that are theirs, whatever those are called.
    namespaces: namespaces ?? NamespaceFilter.from(scope === 'allowed' ? '*' : undefined),
    scope,
  };
}

/** Its mistakes are the host's: a client hears that the server failed. */
function readPin(pin: SubscribePin | undefined, topics: Topics): Partial<ScopedRequest> {
  if (pin === undefined) return {};
  try {
    checkOptions<SubscribePin>(pin, { namespace: true, topics: true, scope: true }, 'pin');
    // Of an empty list, everything would be left, where nothing is meant.
    if (Array.isArray(pin.topics) && pin.topics.length === 0) throw new TypeError('topics must not be empty.');
    const filter = pin.topics === undefined ? undefined : TopicFilter.from(pin.topics);
    for (const name of filter?.topics ?? []) topics.checkKnown(name, 'topic');
    return {
      ...(filter && { filter }),
      ...(pin.namespace !== undefined && { namespaces: NamespaceFilter.from(pin.namespace) }),
      ...(pin.scope !== undefined && { scope: checkScope(pin.scope) }),
    };
  } catch (error) {
    throw BrokerError.from(new TypeError(`pin: ${(error as Error).message}`, { cause: error }));
  }
}

function checkScope(scope: unknown): Scope {
  if (scopes.includes(scope)) return scope as Scope;
  throw new BrokerError('bad_request', `scope must be "all" or "allowed"; got ${describe(scope)}.`);
}

function outside(what: string, asked: { toString(): string }, pinned: { toString(): string }): BrokerError {
  return permissionDenied(new Error(`The ${what} ${asked} are outside those that are pinned: ${pinned}.`));
}
