import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkOptions } from '../model/options.ts';
import { explorerPage } from './explorer-page.ts';

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
  /** Heading and title of the page. Default `Event stream`. */
  readonly title?: string;
}

const allowedMethods = 'GET, HEAD';

/**
 * Serves one page that shows an event stream live: a table, filters, the rate, gaps and errors where they happened. It
 * loads nothing else, and talks to `streamUrl` and `operatorUrl` alone. The page holds no secret; a token is typed into
 * it, kept in the tab's memory, and sent only as a header of these requests.
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
  checkOptions<ExplorerOptions>(options, { streamUrl: true, operatorUrl: true, title: true }, 'explorerHandler');
  const { streamUrl = '/v1/event/stream', operatorUrl, title = 'Event stream' } = options;
  checkUrl('streamUrl', streamUrl);
  if (operatorUrl !== undefined) checkUrl('operatorUrl', operatorUrl);
  const { html, policy } = explorerPage({
    title,
    urls: { streamUrl, ...(operatorUrl !== undefined && { operatorUrl }) },
  });
  const body = Buffer.from(html);
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': body.length,
    'Content-Security-Policy': policy,
    'Cache-Control': 'no-cache',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(request, response);
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body);
  };
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const text = `Method ${request.method} is not allowed here; allowed: ${allowedMethods}.\n`;
  response.writeHead(405, { Allow: allowedMethods, 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}

function checkUrl(name: string, url: string): void {
  const origin = 'http://origin.invalid';
  if (url === '' || !URL.canParse(url, origin) || new URL(url, origin).origin !== origin) {
    throw new TypeError(`${name} must be a path on the page's own origin; got ${JSON.stringify(url)}.`);
  }
}
