import type { Acl } from '../../acl/acl.ts';
import type { AclNeed } from '../../acl/explain.ts';
import type { TopicRequirement } from '../../model/topic-definition.ts';
import type { Topics } from '../../model/topics.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import type { Asked, Visibility } from '../matching/interest.ts';
import { NamespaceFilter } from '../matching/namespace-filter.ts';
import { TopicFilter } from '../matching/topic-filter.ts';
import type { VisibleRules } from './visible-rules.ts';

/**
 * What becomes of a request that is not allowed in all its parts: `'all'` refuses it, `'allowed'` gives what is
 * allowed of it.
 */
export type Scope = 'all' | 'allowed';

/** What a subscription asks for, as long as it is open: its rights are held against it anew after each change. */
export interface ScopedRequest extends Asked {
  readonly scope: Scope;
}

/** What a subscription is shown: what it asked for, as far as its rights let it. */
export interface View extends Asked {
  /** Decides about each event, where the filter and the namespaces alone do not. */
  readonly visibility: Visibility | undefined;
}

/** What rights are held against. */
export interface ViewParts {
  readonly topics: Topics;
  readonly rules: VisibleRules;
  /** Pairs of namespace and topic that a view may have. */
  readonly maxPlaces: number;
}

/** What these rights show of what is asked for; undefined when they do not suffice for it. */
export function viewOf(request: ScopedRequest, acl: Acl, parts: ViewParts): View | undefined {
  if (request.scope === 'all')
    return mayRead(acl, request, parts.topics) ? shown(request, acl, parts, true) : undefined;
  const allowed = acl.isManagement ? request : narrowed(request, acl, parts);
  return allowed && shown(allowed, acl, parts, mayRead(acl, allowed, parts.topics));
}

/**
 * Whether these rights suffice for all that is asked for. Ends at the first that is not met: a denial costs one look.
 */
function mayRead(acl: Acl, asked: Asked, topics: Topics): boolean {
  return firstUnmet(acl, asked, topics) === undefined;
}

/** The first need that these rights do not meet. */
export function firstUnmet(acl: Acl, { filter, namespaces }: Asked, topics: Topics): AclNeed | undefined {
  for (const topic of filter.topics) {
    const requirement = requirementOf(topic, topics);
    const namespace = namespaces.names.find((namespace) => !acl.meets(requirement, namespace));
    if (namespace !== undefined) return { topic, requirement, namespace };
  }
  return undefined;
}

/** All that a subscription needs, for an explanation: each topic's requirement, in each namespace. */
export function needsOf({ filter, namespaces }: Asked, topics: Topics): readonly AclNeed[] {
  return [...filter.topics].flatMap((topic) => {
    const requirement = requirementOf(topic, topics);
    return namespaces.names.map((namespace) => ({ topic, requirement, namespace }));
  });
}

/**
 * A closer look at each event is taken where the rights do not cover all that the filter passes, or a topic has a rule
 * of its own. Subscriptions share an interest as far as what the look rests on is equal: no more than that is in the
 * key.
 * @param isCovered the rights suffice for all that is asked for
 */
function shown({ filter, namespaces }: Asked, acl: Acl, { topics, rules }: ViewParts, isCovered: boolean): View {
  const byRights = !acl.isManagement && (namespaces.isAll || !isCovered);
  const byRules = !acl.isManagement && rules.concern(filter);
  if (!byRights && !byRules) return { filter, namespaces, visibility: undefined };
  const isSeen = (name: string, event: EncodedEvent): boolean =>
    filter.matchesAs(name, event) &&
    (!byRights || acl.sees(topics.requirement(name), event.namespace)) &&
    (!byRules || rules.allow(acl, name, event));
  const visibility: Visibility = {
    key: JSON.stringify([byRights ? acl.rightsKey : '', byRules ? claimsKeyOf(acl) : '']),
    byRules,
    sees(event) {
      for (const name of event.names) if (isSeen(name, event)) return true;
      return false;
    },
  };
  return { filter, namespaces, visibility };
}

/** Claims that are not usable are those of nobody else: their failures are told by the accessor's name. */
function claimsKeyOf({ claimsKey, claimsFault, accessorId }: Acl): string {
  return claimsFault === undefined ? claimsKey : JSON.stringify([accessorId, claimsFault]);
}

/**
 * What is allowed of what is asked for, by name where that is possible: a user with two tenants then stands under these
 * two in the interest index, and what is published in another one costs nothing for them.
 */
function narrowed(request: Asked, acl: Acl, { topics, maxPlaces }: ViewParts): Asked | undefined {
  const names = namesAskedFor(request.filter, topics).filter((name) => isAllowed(acl, name, request, topics));
  if (names.length === 0) return undefined;
  const filter = TopicFilter.parse(termsFor(request.filter, names));
  const namespaces = narrowedNamespaces(request.namespaces, names, acl, topics);
  // Where names would take more places than one request may have, each event is looked at instead.
  return filter.size * namespaces.names.length > maxPlaces ? request : { filter, namespaces };
}

function namesAskedFor(filter: TopicFilter, topics: Topics): readonly string[] {
  const asked = [...filter.topics];
  return asked.includes('*') ? [...new Set([...(topics.names ?? []), ...asked])].filter((name) => name !== '*') : asked;
}

function isAllowed(acl: Acl, name: string, { namespaces }: Asked, topics: Topics): boolean {
  const requirement = topics.requirement(name);
  return namespaces.isAll ? acl.sees(requirement, '') : namespaces.names.some((one) => acl.meets(requirement, one));
}

function termsFor(filter: TopicFilter, names: readonly string[]): readonly string[] {
  return filter
    .terms()
    .flatMap(([topic, key]) =>
      (topic === '*' ? names : names.filter((name) => name === topic)).map((n) => `${n}:${key}`),
    );
}

/** Those in which at least one of the topics may be seen. What no namespace is needed for is seen in each. */
function narrowedNamespaces(
  namespaces: NamespaceFilter,
  names: readonly string[],
  acl: Acl,
  topics: Topics,
): NamespaceFilter {
  const requirements = names.map((name) => topics.requirement(name));
  if (!namespaces.isAll)
    return NamespaceFilter.from(namespaces.names.filter((one) => requirements.some((need) => acl.meets(need, one))));
  const granted = requirements.map((need) => acl.namespacesFor(need));
  const known = granted.filter((list) => list !== undefined);
  return known.length < granted.length ? namespaces : NamespaceFilter.from(known.flat());
}

/** `*` is every topic, those that are declared later included. */
function requirementOf(topic: string, topics: Topics): TopicRequirement {
  return topic === '*' ? 'management' : topics.requirement(topic);
}
