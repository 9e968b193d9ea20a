import type { ServerResponse } from 'node:http';
import type { Http2Stream } from 'node:http2';

type AnyResponse = ServerResponse & { readonly stream?: Http2Stream | undefined };

/**
 * Calls when nobody reads the response any more. An AbortSignal would do it too, for a kilobyte with each stream.
 * @returns whether that is so, be it since before the handler was called; or the host has answered otherwise
 */
export function whenGone(response: ServerResponse, call: () => void): () => boolean {
  let isGone = false;
  const onGone = (): void => {
    isGone = true;
    call();
  };
  // The response's close: the request's may never come once its body was read. Not `once`, which costs each stream two
  // objects more.
  response.on('close', onGone);
  response.on('error', onGone);
  const { stream } = response as AnyResponse;
  // A stream that its client has reset while its window was full closes only when all was written, which is never.
  stream?.on('aborted', () => {
    onGone();
    stream.destroy();
  });
  return () => isGone || isOver(response);
}

/** Its client is gone, or the host has answered otherwise. */
function isOver(response: AnyResponse): boolean {
  const { stream } = response;
  const isReset = stream?.destroyed === true || stream?.aborted === true;
  return response.destroyed || response.writableEnded || response.headersSent || isReset;
}
