// How the examples listen, and stop on Ctrl-C: what is about servers, and not about events.
import type { AddressInfo, Server } from 'node:net';

/** The port of the example; `PORT=0` takes a free one. */
export const port = Number(process.env['PORT'] ?? 4646);

/** Over how long a `SIGTERM` spreads the ends of the streams. Ctrl-C ends them at once. */
const drainMs = Number(process.env['DRAIN_MS'] ?? 5000);

interface Closable {
  close(options?: { drainMs?: number }): Promise<void>;
}

/** Prints where the stream is, once the server listens, and stops both when told to: see docs/shutdown.md. */
export function serve(server: Server, broker: Closable, path = '/v1/event/stream'): void {
  const listening = (): void =>
    console.log(`curl -sN 'http://127.0.0.1:${(server.address() as AddressInfo).port}${path}'`);
  if (server.listening) listening();
  else server.listen(port, '127.0.0.1', listening);
  onStop(async (signal) => {
    server.close(); // nobody new: a balancer asks the next server
    await broker.close({ drainMs: signal === 'SIGTERM' ? drainMs : 0 });
  });
}

export function onStop(stop: (signal: 'SIGINT' | 'SIGTERM') => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop(signal).then(() => process.exit(0)));
  }
}
