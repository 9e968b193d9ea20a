import type { Event } from '../../client/index.ts';

/** What the reader asks of the server. */
export interface Filters {
  /** `Topic`, `Topic:key`, `*:key`; none means everything. The server judges them. */
  readonly topics: readonly string[];
  /** Names, or `*`; none means the server's default. */
  readonly namespaces: readonly string[];
  readonly index: number | 'latest';
  /** The state first: the newest event of each object that the server retains. */
  readonly isState: boolean;
}

/** All that the reader has chosen, but for the token: what the page's URL holds. */
export interface PageFilters extends Filters {
  /** Words of event types, of which one has to be in a type. The server knows no such filter. */
  readonly types: string;
  /** A text that has to be in an event. */
  readonly search: string;
  readonly isOperator: boolean;
}

export const defaultFilters: PageFilters = {
  topics: [],
  namespaces: ['*'],
  index: 0,
  isState: false,
  types: '',
  search: '',
  isOperator: false,
};

/**
 * Splits at commas: a key may hold spaces. What has to stand within a part is written `\,`, `\\` and, at its ends, `\
 * `.
 */
export function parseList(text: string): readonly string[] {
  const parts = text.match(/(?:\\[,\\ ]|[^,])+/g) ?? [];
  return parts.map(withoutSpaces).filter((part) => part !== '');
}

/** The text that {@link parseList} reads these parts from. */
export function formatList(parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll(/[,\\]|^\s|\s$/g, (sign) => escaped(sign))).join(', ');
}

function escaped(sign: string): string {
  return `\\${sign}`;
}

/**
 * Unescaped spaces at the ends were typed for the eye. No pattern finds those at the end of a long text in one walk:
 * it would begin anew at each space, and a link may hold any text.
 */
function withoutSpaces(part: string): string {
  const text = part.trimStart();
  const { length } = text.trimEnd();
  let slashes = 0;
  while (text[length - 1 - slashes] === '\\') slashes++;
  const isEscaped = slashes % 2 === 1 && text[length] === ' ';
  return text.slice(0, isEscaped ? length + 1 : length).replaceAll(/\\([,\\ ])/g, '$1');
}

/** Undefined for what is neither a whole number nor `latest`. Empty means 0: the whole backlog. */
export function parseStart(text: string): number | 'latest' | undefined {
  const start = text.trim().toLowerCase();
  if (start === 'latest') return 'latest';
  return /^\d*$/.test(start) && Number.isSafeInteger(Number(start)) ? Number(start) : undefined;
}

/** The request as it can be typed into a terminal. It never has the token, which goes into a header. */
export function requestTarget(streamUrl: string, filters: Filters): string {
  const query = queryOf(filters);
  query.set('index', String(filters.index));
  if (filters.isState) query.set('state', 'true');
  return `${streamUrl}${streamUrl.includes('?') ? '&' : '?'}${readable(query)}`;
}

/** Topics and namespaces as the server reads them. */
export function queryOf({ topics, namespaces }: Pick<Filters, 'topics' | 'namespaces'>): URLSearchParams {
  const query = new URLSearchParams();
  for (const topic of topics) query.append('topic', topic);
  for (const namespace of namespaces) query.append('namespace', namespace);
  return query;
}

/** A colon may stand in a query as it is, and topics are read with it. */
export function readable(query: URLSearchParams): string {
  return String(query).replaceAll('%3A', ':');
}

/**
 * Which types to show: those that contain one of the words, in any case. No word shows all. The server knows no such
 * filter.
 */
export function typeMatcher(text: string): (type: string) => boolean {
  const words = parseList(text.toLowerCase());
  return (type) => words.length === 0 || words.some((word) => type.toLowerCase().includes(word));
}

/** What of an event can be filtered by with one click. */
export type FilterField = 'topic' | 'type' | 'key' | 'namespace';

/** The filters that show what has the same in this field. */
export function narrowedTo(filters: PageFilters, field: FilterField, event: Event): PageFilters {
  const { topic, type, key, namespace } = event;
  switch (field) {
    case 'topic':
      return { ...filters, topics: [topic] };
    case 'key':
      return { ...filters, topics: [`${topic}:${key}`] };
    case 'namespace':
      return { ...filters, namespaces: [namespace] };
    case 'type':
      return { ...filters, types: formatList([type]) };
  }
}

/** The filters with a topic, or without it where it was among them. */
export function toggledTopic(filters: PageFilters, topic: string): PageFilters {
  const others = filters.topics.filter((term) => topicOf(term) !== topic);
  return { ...filters, topics: others.length < filters.topics.length ? others : [...others, topic] };
}

/** The topics that the filters name. */
export function namedTopics({ topics }: Pick<Filters, 'topics'>): ReadonlySet<string> {
  return new Set(topics.map(topicOf));
}

/** Only the first colon separates: a key may hold more. */
function topicOf(term: string): string {
  return term.split(':', 1)[0] ?? term;
}
