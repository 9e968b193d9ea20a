import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * So many requests may wait on one connection behind others. A stream never ends: whoever pipelines behind it has
 * nothing to wait for.
 */
const MAX_WAITING = 64;

/** Who waits on a connection: they share one listener, since Node warns of a leak from the eleventh on. */
const waitingOn = new WeakMap<Socket, Set<() => void>>();

/**
 * Whether the response is the one that its connection writes: at once, unless it stands behind another, as pipelined
 * requests do. For one that waits nothing may be subscribed: nothing is sent to it, and nobody tells it that the
 * connection closed.
 * @returns false when the connection closed before, or too many wait on it: then it is closed
 */
export function whenItsTurn(request: object, response: object): boolean | Promise<boolean> {
  if (!isWaiting(response)) return true;
  const { socket } = request as IncomingMessage;
  const waiting = waitingOn.get(socket) ?? watch(socket);
  if (waiting.size >= MAX_WAITING) socket.destroy();
  return socket.destroyed ? false : turn(waiting, response);
}

function watch(socket: Socket): Set<() => void> {
  const waiting = new Set<() => void>();
  waitingOn.set(socket, waiting);
  socket.once('close', () => {
    for (const close of waiting) close();
  });
  return waiting;
}

/** One of `node:http`, told by what it has: this is loaded where there is no such module, too. */
function isWaiting(response: object): response is ServerResponse {
  const { assignSocket, socket, destroyed } = response as Partial<ServerResponse>;
  return typeof assignSocket === 'function' && socket === null && destroyed !== true;
}

/** Node tells of it by a call alone: of the method that hands the response its socket. */
function turn(waiting: Set<() => void>, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const { assignSocket } = response;
    const onClose = (): void => resolve(false);
    waiting.add(onClose);
    response.assignSocket = (own: Socket): void => {
      assignSocket.call(response, own);
      waiting.delete(onClose);
      resolve(true);
    };
  });
}
