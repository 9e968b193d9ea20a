import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * So many requests may wait on one connection behind others. A stream never ends: whoever pipelines behind it has
 * nothing to wait for.
 */
const MAX_WAITING = 64;

const waitingOn = new WeakMap<Socket, number>();

/**
 * Whether the response is the one that its connection writes: at once, unless it stands behind another, as pipelined
 * requests do. For one that waits nothing may be subscribed: nothing is sent to it, and nobody tells it that the
 * connection closed.
 * @returns false when the connection closed before, or too many wait on it: then it is closed
 */
export function whenItsTurn(request: object, response: object): boolean | Promise<boolean> {
  if (!isWaiting(response)) return true;
  const { socket } = request as IncomingMessage;
  const waiting = (waitingOn.get(socket) ?? 0) + 1;
  if (waiting > MAX_WAITING) socket.destroy();
  if (socket.destroyed) return false;
  waitingOn.set(socket, waiting);
  return turn(socket, response).finally(() => waitingOn.set(socket, (waitingOn.get(socket) ?? 1) - 1));
}

/** One of `node:http`, told by what it has: this is loaded where there is no such module, too. */
function isWaiting(response: object): response is ServerResponse {
  const { assignSocket, socket, destroyed } = response as Partial<ServerResponse>;
  return typeof assignSocket === 'function' && socket === null && destroyed !== true;
}

/** Node tells of it by a call alone: of the method that hands the response its socket. */
function turn(socket: Socket, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const { assignSocket } = response;
    const onClose = (): void => resolve(false);
    socket.once('close', onClose);
    response.assignSocket = (own: Socket): void => {
      assignSocket.call(response, own);
      socket.off('close', onClose);
      resolve(true);
    };
  });
}
