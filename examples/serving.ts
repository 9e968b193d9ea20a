// How the examples listen, and stop on Ctrl-C: what is about servers, and not about events.
import type { AddressInfo, Server } from 'node:net';

/** The port of the example; `PORT=0` takes a free one. */
export const port = Number(process.env['PORT'] ?? 4646);

/** Prints where the stream is, once the server listens, and stops both when told to. */
export function serve(server: Server, broker: { close(): Promise<void> }, path = '/v1/event/stream'): void {
  const listening = (): void =>
    console.log(`curl -sN 'http://127.0.0.1:${(server.address() as AddressInfo).port}${path}'`);
  if (server.listening) listening();
  else server.listen(port, '127.0.0.1', listening);
  onStop(async () => {
    await broker.close();
    server.close();
  });
}

export function onStop(stop: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().then(() => process.exit(0)));
  }
}
