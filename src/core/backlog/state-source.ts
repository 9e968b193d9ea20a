import type { Asked } from '../matching/interest.ts';
import type { Topics } from '../../model/topics.ts';
import type { RetainedState } from './retained-state.ts';
import { KeyedSource, ListSource, MergedSource, type StatePartition, type StateSource } from './state-partition.ts';

/** More partitions than this, or keys of one, are not looked at one by one: one walk over all costs less. */
const MAX_SOURCES = 16;

/**
 * Where what is asked for stands in the retained state: a few keys, a few partitions (a tenant's orders among those of
 * ten thousand), or all of it. It holds more than was asked for; whoever reads it looks at each entry.
 *
 * Good for as long as {@link RetainedState.version} stays the same.
 */
export function sourceOf(state: RetainedState, asked: Asked, topics: Topics): StateSource {
  const keys = keysAskedFor(asked, topics);
  const partitions: [StatePartition, Keys][] = [];
  for (const [topic, asks] of keys) {
    for (const partition of partitionsIn(state, topic, asked)) partitions.push([partition, asks]);
    if (partitions.length > MAX_SOURCES) return new ListSource(state.all);
  }
  const sources = partitions.map(([partition, asks]) => sourceIn(partition, asks));
  const [only] = sources;
  return only !== undefined && sources.length === 1 ? only : new MergedSource(sources);
}

type Keys = '*' | ReadonlySet<string>;

/** By topic, aliases as the topics that they stand for. */
function keysAskedFor({ filter }: Asked, topics: Topics): ReadonlyMap<string, Keys> {
  const keys = new Map<string, '*' | Set<string>>();
  for (const [name, key] of filter.terms()) {
    for (const topic of name === '*' ? topics.retained : [topics.definition(name)?.aliasOf ?? name]) {
      if (!topics.retains(topic)) continue;
      const known = keys.get(topic) ?? new Set<string>();
      keys.set(topic, key === '*' || known === '*' ? '*' : known.add(key));
    }
  }
  return keys;
}

function partitionsIn(state: RetainedState, topic: string, { namespaces }: Asked): readonly StatePartition[] {
  const byNamespace = state.partitionsOf(topic);
  if (byNamespace === undefined) return [];
  if (namespaces.isAll) return [...byNamespace.values()];
  return ['', ...namespaces.names].map((name) => byNamespace.get(name)).filter((found) => found !== undefined);
}

function sourceIn(partition: StatePartition, keys: Keys): StateSource {
  const isLookedUp = keys !== '*' && keys.size <= MAX_SOURCES && !partition.hasFilterKeys;
  return isLookedUp ? new KeyedSource(partition, keys) : new ListSource(partition.list);
}
