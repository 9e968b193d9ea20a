import http from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { eventStreamHandler, type EventStreamHandlerOptions } from '../../src/adapters/http.ts';
import { httpReader, openNodeStream, openPolling, openSink } from './fence-readers.ts';
import { fenceHistory } from './fence-steps.ts';
import { FenceWorld, type OpenReader } from './fence-world.ts';
import { histories, patienceMs } from './histories.ts';

async function holdsFor(openReader: OpenReader, onWorld: (world: FenceWorld) => void = () => undefined): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fenceHistory, async (history) => {
      const world = new FenceWorld(history, openReader);
      onWorld(world);
      await world.run(history.steps);
    }),
    histories(),
  );
}

describe('no event above a revocation reaches whom it denies, and who is allowed loses nothing', () => {
  it('in process, by poll()', () => holdsFor(openPolling), patienceMs);
  it('in process, through a transport that blocks', () => holdsFor(openSink), patienceMs);
  it('through a Node stream', () => holdsFor(openNodeStream), patienceMs);

  describe.each(['auto', 'response'] as const)('through HTTP with the writer %s', (writer) => {
    let current: FenceWorld | undefined;
    let server: http.Server;
    const broker: EventStreamHandlerOptions['broker'] = {
      subscribe: (options) => (current as FenceWorld).broker.subscribe(options as never) as never,
    };
    beforeAll(async () => {
      server = http.createServer(eventStreamHandler({ broker, writer, heartbeatMs: 1000 }));
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    });
    afterAll(() => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(resolve));
    });

    it(
      'on a real socket',
      () => holdsFor(httpReader((server.address() as AddressInfo).port), (world) => (current = world)),
      patienceMs,
    );
  });
});
