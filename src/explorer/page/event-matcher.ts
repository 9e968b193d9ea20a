import type { Event } from '../../client/index.ts';
import { type PageFilters, typeMatcher } from './filters.ts';

/** Which events are shown of those that came: by their type, and by a text that has to be in them, in any case. */
export function eventMatcher({ types, search }: Pick<PageFilters, 'types' | 'search'>): (event: Event) => boolean {
  const isType = typeMatcher(types);
  const wanted = search.trim().toLowerCase();
  if (wanted === '') return ({ type }) => isType(type);
  // A state is searched each time that it is painted. The texts go with this matcher.
  const texts = new WeakMap<Event, string>();
  const textOf = (event: Event): string => {
    const known = texts.get(event) ?? searchable(event);
    texts.set(event, known);
    return known;
  };
  return (event) => isType(event.type) && textOf(event).includes(wanted);
}

/** A text that spans two fields is found in neither. */
function searchable({ topic, type, key, namespace, filterKeys, index, payload }: Event): string {
  const fields = [topic, type, key, namespace, ...filterKeys, String(index), JSON.stringify(payload) ?? ''];
  return fields.join('\n').toLowerCase();
}
