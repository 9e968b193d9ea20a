import type { Acl } from '../../acl/acl.ts';
import { TopicFilter } from '../matching/topic-filter.ts';
import type { SubscribeOptions } from './subscribe-request.ts';
import { viewOf, type ScopedRequest, type ViewParts } from './rights-view.ts';

/** A topic that somebody may subscribe to, as it was declared. */
export interface ReadableTopic {
  /** What a filter calls it: a topic's name, or an alias. */
  readonly name: string;
  /** The event types that were declared; none where none were. */
  readonly types: readonly string[];
  /** The newest event of each key is kept: `state: true` reads those first. */
  readonly isRetained: boolean;
}

/** Who asks for a list of topics, and what the host has pinned for them: as in `subscribe`. */
export type ReadableTopicsOptions = Pick<SubscribeOptions, 'token' | 'acl' | 'pin'>;

/**
 * The declared topics of which these rights show something, in the order of their declaration. Each is judged by
 * itself, as a subscription to it would be with `scope: 'allowed'`.
 */
export function readableTopicsOf(
  { filter, namespaces }: ScopedRequest,
  acl: Acl,
  parts: ViewParts,
): readonly ReadableTopic[] {
  const { topics } = parts;
  const pinned = new Set(filter.topics);
  const names = (topics.names ?? []).filter((name) => pinned.has('*') || pinned.has(name));
  const isShown = (name: string): boolean =>
    viewOf({ filter: TopicFilter.parse(name), namespaces, scope: 'allowed' }, acl, parts) !== undefined;
  return names.filter(isShown).map((name) => ({
    name,
    types: topics.definition(name)?.types ?? [],
    isRetained: topics.retains(name),
  }));
}
