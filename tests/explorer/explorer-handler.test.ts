import { createHash } from 'node:crypto';
import http from 'node:http';
import { brotliCompressSync } from 'node:zlib';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { explorerFetchHandler, explorerHandler, type ExplorerOptions } from '../../src/explorer/index.ts';

let server: http.Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function ask(method: string, options?: ExplorerOptions): Promise<{ response: Response; text: string }> {
  server = http.createServer(explorerHandler(options));
  await new Promise<void>((resolve) => void server?.listen(0, '127.0.0.1', resolve));
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { method });
  return { response, text: await response.text() };
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function directives(response: Response): Map<string, string> {
  const policy = response.headers.get('Content-Security-Policy') ?? '';
  return new Map(policy.split('; ').map((part) => [part.split(' ')[0] ?? '', part.slice(part.indexOf(' ') + 1)]));
}

describe('explorer handler', () => {
  it('serves one page whose policy allows its own script and style alone', async () => {
    const { response, text } = await ask('GET');
    const scripts = [...text.matchAll(/<script>([^]*?)<\/script>/g)].map(([, script = '']) => script);
    const styles = [...text.matchAll(/<style>([^]*?)<\/style>/g)].map(([, style = '']) => style);
    expect([scripts.length, styles.length]).toEqual([1, 1]);
    expect(Object.fromEntries(directives(response))).toEqual({
      'default-src': `'none'`,
      'script-src': scripts.map(hashOf).join(' '),
      'style-src': styles.map(hashOf).join(' '),
      'img-src': 'data:',
      'connect-src': `'self'`,
      'base-uri': `'none'`,
      'form-action': `'none'`,
      'frame-ancestors': `'none'`,
    });
  });

  it('tells the browser to keep to the type, to send no referrer and to ask again', async () => {
    const { response, text } = await ask('GET');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(response.headers.get('Referrer-Policy')).toBe('no-referrer');
    expect(response.headers.get('Cache-Control')).toBe('no-cache');
    expect(response.headers.get('Content-Length')).toBe(String(Buffer.byteLength(text)));
  });

  it('loads nothing from elsewhere and has no inline handlers or styles', async () => {
    const { text } = await ask('GET');
    const markup = text.replaceAll(/<(script|style)>[^]*?<\/\1>/g, '');
    expect(markup).not.toMatch(/\s(on\w+|style)=/i);
    expect(markup).not.toMatch(/(src|href)="(?!data:)/i);
    expect(markup).not.toMatch(/\{\{/);
  });

  it('answers HEAD as GET without the body', async () => {
    const { response, text } = await ask('HEAD');
    expect([response.status, text]).toEqual([200, '']);
    expect(Number(response.headers.get('Content-Length'))).toBeGreaterThan(1000);
    expect(response.headers.get('Content-Security-Policy')).toContain('sha256-');
  });

  it('refuses every other method and says which are allowed', async () => {
    const { response, text } = await ask('POST');
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe('GET, HEAD');
    expect(text).toContain('POST');
  });

  it('keeps what the host gives from ending the element it stands in', async () => {
    const streamUrl = '/stream?</script><script>alert(1)</script><!--$&';
    const { text } = await ask('GET', { streamUrl, title: `<b>"Tom's" & {{script}}` });
    expect(text.match(/<script/g)).toHaveLength(2);
    const settings = /<script type="application\/json" id="settings">([^]*?)<\/script>/.exec(text)?.[1] ?? '';
    expect(settings).not.toContain('<');
    expect(JSON.parse(settings)).toEqual({ streamUrl });
    expect(text).toContain('<title>&#60;b&#62;&#34;Tom&#39;s&#34; &#38; {{script}}</title>');
  });

  it('is small enough for a slow line: it is loaded whole before anything is seen', async () => {
    const { text } = await ask('GET');
    expect(brotliCompressSync(text).length).toBeLessThan(24 * 1024);
  });

  it('answers over fetch as over Node', async () => {
    const options: ExplorerOptions = { title: 'Orders', operatorUrl: '/operator', topicsUrl: 'topics' };
    const handle = explorerFetchHandler(options);
    for (const method of ['GET', 'HEAD', 'POST']) {
      const { response, text } = await ask(method, options);
      const other = handle(new Request('http://host/', { method }));
      expect([other.status, await other.text()]).toEqual([response.status, text]);
      for (const [name, value] of other.headers) expect([name, response.headers.get(name)]).toEqual([name, value]);
    }
    expect(() => explorerFetchHandler({ topicUrl: '/x' } as never)).toThrow(
      'explorerFetchHandler has no option "topicUrl". Did you mean "topicsUrl"?',
    );
  });

  it.each(['https://elsewhere.example/stream', '//elsewhere.example/stream', String.raw`/\elsewhere.example`, ''])(
    'refuses a stream on another origin: %j',
    (streamUrl) => {
      expect(() => explorerHandler({ streamUrl })).toThrow(TypeError);
      expect(() => explorerHandler({ topicsUrl: streamUrl })).toThrow(/^topicsUrl must be a path/);
    },
  );
});
