// As much of curl as the documents use, so that their tests need no curl.

export interface CurlCommand {
  readonly url: string;
  readonly init: {
    readonly method?: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  /** Where cookies are read from, and written to. */
  readonly readsJar: string | undefined;
  readonly writesJar: string | undefined;
  /** Ends with `&`: the next line is typed while it goes on. */
  readonly isInBackground: boolean;
}

/** @throws when it has an option that is not known here, so that no option of a document goes unheard. */
export function parseCurl(line: string): CurlCommand {
  const [program, ...words] = wordsOf(line);
  if (program !== 'curl') throw new Error(`Not a curl command: ${line}`);
  const options: Record<string, string> = {};
  const headers: Record<string, string> = {};
  const query: string[] = [];
  let url = '';
  let isInBackground = false;
  while (words.length > 0) {
    const word = words.shift() ?? '';
    if (word === '&') isInBackground = true;
    else if (!word.startsWith('-')) url = word;
    else if (word === '-H') Object.assign(headers, header(words.shift() ?? ''));
    else if (word === '--data-urlencode') query.push(encoded(words.shift() ?? ''));
    else if (['-X', '-d', '-b', '-c'].includes(word)) options[word] = words.shift() ?? '';
    else if (!['-s', '-N', '-sN', '-G'].includes(word)) throw new Error(`Unknown option ${word} in: ${line}`);
  }
  const { '-X': method, '-d': body, '-b': readsJar, '-c': writesJar } = options;
  return {
    url: query.length > 0 ? `${url}?${query.join('&')}` : url,
    init: {
      headers,
      ...((method ?? body) !== undefined && { method: method ?? 'POST' }),
      ...(body !== undefined && { body }),
    },
    readsJar,
    writesJar,
    isInBackground,
  };
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => {
    return single ?? double ?? bare ?? '';
  });
}

function header(text: string): Record<string, string> {
  const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(text) ?? [];
  return { [name]: value };
}

function encoded(text: string): string {
  const [name = '', ...value] = text.split('=');
  return `${name}=${encodeURIComponent(value.join('='))}`;
}
