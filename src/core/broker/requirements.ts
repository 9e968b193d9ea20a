import type { Acl } from '../../acl/acl.ts';
import type { AclNeed } from '../../acl/explain.ts';
import type { TopicRequirement, Topics } from '../../model/topics.ts';
import type { Asked, Visibility } from '../matching/interest.ts';
import type { NamespaceFilter } from '../matching/namespace-filter.ts';

/**
 * Whether these rights suffice for all that is asked for. Ends at the first that is not met: a denial costs one look.
 */
export function mayRead(acl: Acl, { filter, namespaces }: Asked, topics: Topics): boolean {
  for (const topic of filter.topics) {
    const requirement = requirementOf(topic, topics);
    if (!namespaces.names.every((namespace) => acl.meets(requirement, namespace))) return false;
  }
  return true;
}

/** All that a subscription needs, for an explanation: each topic's requirement, in each namespace. */
export function needsOf({ filter, namespaces }: Asked, topics: Topics): readonly AclNeed[] {
  return [...filter.topics].flatMap((topic) => {
    const requirement = requirementOf(topic, topics);
    return namespaces.names.map((namespace) => ({ topic, requirement, namespace }));
  });
}

/**
 * What an ACL lets a subscription to all namespaces see: each event is checked in its own, so that a closer deny hides
 * it and a namespace that is created later is covered. undefined where nothing needs a closer look.
 */
export function visibilityOf(acl: Acl, namespaces: NamespaceFilter, topics: Topics): Visibility | undefined {
  if (acl.isManagement || !namespaces.isAll) return undefined;
  return {
    key: acl.rightsKey,
    sees: (event) => event.names.some((name) => acl.sees(topics.requirement(name), event.namespace)),
  };
}

/** `*` is every topic, those that are declared later included. */
function requirementOf(topic: string, topics: Topics): TopicRequirement {
  return topic === '*' ? 'management' : topics.requirement(topic);
}
