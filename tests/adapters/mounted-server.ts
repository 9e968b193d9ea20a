import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A server that listens on a port of its own, and what its connections hold. */
export class MountedServer {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #accepted = 0;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#accepted++;
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** @param server one that listens already, or is about to */
  static async listening(server: Server): Promise<MountedServer> {
    const mounted = new MountedServer(server);
    if (!server.listening) await once(server, 'listening');
    return mounted;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Bytes that wait in the server for clients to read. */
  get waitingBytes(): number {
    return [...this.#open].reduce((sum, socket) => sum + socket.writableLength, 0);
  }

  /** Waits until the server has seen every client go. */
  async deserted(): Promise<void> {
    await Promise.all([...this.#open].map((socket) => once(socket, 'close')));
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }
}
