import type { Acl } from '../../acl/acl.ts';
import type { AclNeed } from '../../acl/explain.ts';
import type { Sight } from '../matching/interest.ts';
import type { NamespaceFilter } from '../matching/namespace-filter.ts';
import type { TopicFilter } from '../matching/topic-filter.ts';
import type { Topics } from '../../model/topics.ts';

/** All that a subscription needs: each topic's requirement, in each namespace. `*` as a topic needs management. */
export function needsOf(filter: TopicFilter, namespaces: NamespaceFilter, topics: Topics): readonly AclNeed[] {
  return [...filter.topics].flatMap((topic) => {
    const requirement = topic === '*' ? 'management' : topics.requirement(topic);
    return namespaces.names.map((namespace) => ({ topic, requirement, namespace }));
  });
}

export function meetsAll(acl: Acl, needs: readonly AclNeed[]): boolean {
  return needs.every(({ requirement, namespace }) => acl.meets(requirement, namespace));
}

/**
 * What an ACL lets a subscription to all namespaces see: each event is checked in its own, so that a closer deny hides it and a namespace that is created
 * later is covered. undefined where nothing needs a closer look.
 */
export function sightOf(acl: Acl, namespaces: NamespaceFilter, topics: Topics): Sight | undefined {
  if (acl.isManagement || !namespaces.isAll) return undefined;
  return {
    key: acl.sightKey,
    sees: (event) => event.names.some((name) => acl.sees(topics.requirement(name), event.namespace)),
  };
}
