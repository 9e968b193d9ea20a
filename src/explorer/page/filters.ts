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

/** Splits at commas: a topic's key may hold spaces. */
export function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Undefined for what is neither a whole number nor `latest`. Empty means 0: the whole backlog. */
export function parseStart(text: string): number | 'latest' | undefined {
  const start = text.trim().toLowerCase();
  if (start === 'latest') return 'latest';
  return /^\d*$/.test(start) && Number.isSafeInteger(Number(start)) ? Number(start) : undefined;
}

/** The request as it can be typed into a terminal. It never has the token, which goes into a header. */
export function requestTarget(streamUrl: string, { topics, namespaces, index, isState }: Filters): string {
  const query = new URLSearchParams();
  for (const topic of topics) query.append('topic', topic);
  for (const namespace of namespaces) query.append('namespace', namespace);
  query.set('index', String(index));
  if (isState) query.set('state', 'true');
  // A colon may stand in a query as it is, and topics are read with it.
  return `${streamUrl}${streamUrl.includes('?') ? '&' : '?'}${String(query).replaceAll('%3A', ':')}`;
}

/**
 * Which types to show: those that contain one of the words, in any case. No word shows all. The server knows no such
 * filter.
 */
export function typeMatcher(text: string): (type: string) => boolean {
  const words = parseList(text.toLowerCase());
  return (type) => words.length === 0 || words.some((word) => type.toLowerCase().includes(word));
}
