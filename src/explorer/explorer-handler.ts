import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkOptions } from '../model/options.ts';
import { explorerPage, type ExplorerUrls } from './explorer-page.ts';

export interface ExplorerOptions {
  /**
   * Where the event stream is mounted: a path on the same origin, absolute or relative to the page. Default
   * `/v1/event/stream`.
   */
  readonly streamUrl?: string;
  /**
   * Where `operatorHandler` is mounted, like `streamUrl`: the page has an operator's view then, for who types in a
   * management token. Default: no such view.
   */
  readonly operatorUrl?: string;
  /**
   * Where `topicsHandler` is mounted, like `streamUrl`: the page lists the topics that its reader may see. Default: it
   * lists those that it has seen events of.
   */
  readonly topicsUrl?: string;
  /** Heading and title of the page. Default `Event stream`. */
  readonly title?: string;
}

const allowedMethods = 'GET, HEAD';

/** An answer that is complete. */
interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Serves one page that shows an event stream live: a table, filters, the rate, gaps and errors where they happened. It
 * loads nothing else, and talks to `streamUrl`, `operatorUrl` and `topicsUrl` alone. The page holds no secret; a token
 * is typed into it, kept in the tab's memory, and sent only as a header of these requests.
 *
 * ```ts
 * const explorer = explorerHandler({ streamUrl: '/v1/event/stream' });
 * http.createServer((request, response) => (request.url === '/' ? explorer : stream)(request, response));
 * ```
 * @throws TypeError for an option that is not known, or a URL on another origin: the page's content security policy
 * would refuse it
 */
export function explorerHandler(
  options: ExplorerOptions = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  const answer = explorerAnswers(options, 'explorerHandler');
  return (request, response) => {
    const { status, headers, body } = answer(request.method ?? 'GET');
    response.writeHead(status, headers).end(body);
  };
}

/**
 * `explorerHandler` for whatever speaks fetch: Hono, Bun, Deno, SvelteKit, Next.js.
 *
 * ```ts
 * const explorer = explorerFetchHandler({ streamUrl: '/v1/event/stream' });
 * app.get('/explorer', (c) => explorer(c.req.raw));
 * ```
 * @throws TypeError as `explorerHandler`
 */
export function explorerFetchHandler(options: ExplorerOptions = {}): (request: Request) => Response {
  const answer = explorerAnswers(options, 'explorerFetchHandler');
  return ({ method }) => {
    const { status, headers, body } = answer(method);
    return new Response(body === '' ? null : body, { status, headers });
  };
}

/** @param where the mount's function, for messages */
function explorerAnswers(options: ExplorerOptions, where: string): (method: string) => PageAnswer {
  checkOptions<ExplorerOptions>(options, { streamUrl: true, operatorUrl: true, topicsUrl: true, title: true }, where);
  const { title = 'Event stream', streamUrl = '/v1/event/stream', ...others } = options;
  const { html, policy } = explorerPage({ title, urls: checkedUrls({ ...others, streamUrl }) });
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(html)),
    'Content-Security-Policy': policy,
    'Cache-Control': 'no-cache',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
  return (method) => {
    if (method !== 'GET' && method !== 'HEAD') return refusal(method);
    return { status: 200, headers, body: method === 'HEAD' ? '' : html };
  };
}

function refusal(method: string): PageAnswer {
  const headers = { Allow: allowedMethods, 'Content-Type': 'text/plain; charset=utf-8' };
  return { status: 405, headers, body: `Method ${method} is not allowed here; allowed: ${allowedMethods}.\n` };
}

function checkedUrls({ streamUrl, operatorUrl, topicsUrl }: ExplorerUrls): ExplorerUrls {
  const urls = {
    streamUrl,
    ...(operatorUrl !== undefined && { operatorUrl }),
    ...(topicsUrl !== undefined && { topicsUrl }),
  };
  for (const [name, url] of Object.entries(urls)) checkUrl(name, url);
  return urls;
}

function checkUrl(name: string, url: string): void {
  const origin = 'http://origin.invalid';
  if (url === '' || !URL.canParse(url, origin) || new URL(url, origin).origin !== origin) {
    throw new TypeError(`${name} must be a path on the page's own origin; got ${JSON.stringify(url)}.`);
  }
}
