import { connect } from 'node:http2';
import { Readable } from 'node:stream';

/** As much of `fetch` as `streamEvents` needs, over HTTP/2 without TLS, which Node's own does not speak. */
export async function http2Fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const { origin, pathname, search } = new URL(String(input));
  const session = connect(origin);
  const headers = Object.fromEntries(new Headers(init.headers));
  const stream = session.request({ ...headers, ':path': pathname + search });
  const leave = (): void => session.destroy();
  init.signal?.addEventListener('abort', leave);
  stream.once('close', () => {
    init.signal?.removeEventListener('abort', leave);
    session.close();
  });
  const answer = await new Promise<Record<string, unknown>>((resolve, reject) => {
    stream.once('response', resolve);
    session.once('error', reject);
    stream.on('error', reject);
    stream.once('close', () => reject(new TypeError('The stream closed without an answer.')));
  });
  const status = Number(answer[':status']);
  const own = Object.entries(answer).filter(([name]) => !name.startsWith(':'));
  return new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>, {
    status,
    headers: own.map(([name, value]): [string, string] => [name, String(value)]),
  });
}
