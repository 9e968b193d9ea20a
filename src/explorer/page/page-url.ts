import { defaultFilters, type PageFilters, parseStart, queryOf, readable } from './filters.ts';

/**
 * The filters as the fragment of the page's URL: what can be shared, and gone back to. It stays in the browser, so that
 * it is in no server's log. It never holds the token. What is as by default is left out.
 */
export function fragmentOf(filters: PageFilters): string {
  const { namespaces, index, isState, types, search, isOperator } = filters;
  const query = queryOf(filters);
  if (isDefault(namespaces)) query.delete('namespace');
  // No namespace at all is the server's default, which is not the page's.
  if (namespaces.length === 0) query.set('namespace', '');
  if (index !== 0) query.set('index', String(index));
  if (isState) query.set('state', 'true');
  if (types !== '') query.set('types', types);
  if (search !== '') query.set('search', search);
  if (isOperator) query.set('view', 'operator');
  return readable(query);
}

/** Reads a fragment that anybody may have written: what means nothing is as by default. */
export function filtersOf(fragment: string): PageFilters {
  const query = new URLSearchParams(fragment.replace(/^#/, ''));
  const all = (name: string): readonly string[] => query.getAll(name).filter((value) => value !== '');
  const isState = query.get('state') === 'true';
  return {
    topics: all('topic'),
    namespaces: query.has('namespace') ? all('namespace') : defaultFilters.namespaces,
    // A state is read whole: from where on has no meaning.
    index: isState ? 0 : (parseStart(query.get('index') ?? '') ?? 0),
    isState,
    types: query.get('types') ?? '',
    search: query.get('search') ?? '',
    isOperator: query.get('view') === 'operator',
  };
}

function isDefault(namespaces: readonly string[]): boolean {
  return namespaces.length === 1 && namespaces[0] === defaultFilters.namespaces[0];
}
