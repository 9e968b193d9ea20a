import http from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { eventStreamHandler, type EventStreamHandlerOptions, type NodeRequest } from '../../src/adapters/http.ts';
import { httpReader, openNodeStream, openPolling, openSink, stepOf } from './fence-readers.ts';
import { fenceHistory, fenceHistoryWithLog, type Step } from './fence-steps.ts';
import { FenceWorld, type OpenReader } from './fence-world.ts';
import { histories, patienceMs } from './histories.ts';

async function holdsFor(
  openReader: OpenReader,
  history = fenceHistory,
  onWorld: (world: FenceWorld) => void = () => undefined,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(history, async (history) => {
      const world = new FenceWorld(history, openReader);
      onWorld(world);
      await world.run(history.steps);
    }),
    histories(),
  );
}

const twoProcesses = { processes: 2, maxRecords: 1000, publishWhenDown: 'fail' } as const;
const subscribe: Step = {
  do: 'subscribe',
  who: 't0',
  namespace: 'default',
  scope: 'all',
  by: 'token',
  isPinned: false,
  index: 'latest',
  isBlocked: false,
  process: 0,
};
/** Committed and told by the other process; the log is emptied before this one hears of it. */
const changeUnheard: readonly Step[] = [
  { do: 'log', fault: 'down', process: 0 },
  { do: 'policy', name: 'p0', grant: undefined, isEvent: false, process: 1 },
  { do: 'settle', process: 0 },
  { do: 'trim', maxRecords: 0, process: 0 },
  { do: 'log', fault: 'up', process: 0 },
  { do: 'advance', ms: 1, process: 0 },
  { do: 'advance', ms: 1, process: 0 },
];

describe('no event above a revocation reaches whom it denies, and who is allowed loses nothing', () => {
  it('in process, by poll()', () => holdsFor(openPolling), patienceMs);
  it('in process, through a transport that blocks', () => holdsFor(openSink), patienceMs);
  it('through a Node stream', () => holdsFor(openNodeStream), patienceMs);

  describe('with brokers on one log', () => {
    it('in process, by poll()', () => holdsFor(openPolling, fenceHistoryWithLog), patienceMs);
    it('in process, through a transport that blocks', () => holdsFor(openSink, fenceHistoryWithLog), patienceMs);
    it('through a Node stream', () => holdsFor(openNodeStream, fenceHistoryWithLog), patienceMs);

    const runs = (steps: readonly Step[]): Promise<void> =>
      new FenceWorld({ maxBatches: 100, log: twoProcesses }, openPolling).run(steps);
    it('where the news of a change was trimmed before a process heard of it, while a subscription was being opened', () =>
      runs([
        { do: 'store', mode: 'held-stale', process: 0 },
        subscribe,
        { do: 'settle', process: 0 },
        { do: 'release', count: 1, process: 0 },
        { do: 'settle', process: 0 },
        ...changeUnheard,
      ]));
    it('where the news of a change was trimmed before a process heard of it, and rights were kept from before', () =>
      runs([
        subscribe,
        { do: 'settle', process: 0 },
        { do: 'close', reader: 0, process: 0 },
        ...changeUnheard,
        subscribe,
      ]));
  });

  describe.each([
    { writer: 'auto', encoding: 'identity' },
    { writer: 'response', encoding: 'identity' },
    { writer: 'auto', encoding: 'gzip' },
    { writer: 'response', encoding: 'gzip' },
  ] as const)('through HTTP with the writer $writer, as $encoding', ({ writer, encoding }) => {
    let current: FenceWorld | undefined;
    let server: http.Server;
    const broker: EventStreamHandlerOptions['broker'] = {
      subscribe: (options) => (current as FenceWorld).process(0).broker.subscribe(options as never) as never,
    };
    const shared = {
      broker,
      writer,
      compression: true,
      heartbeatMs: 1000,
      pin: (request: NodeRequest) => (current as FenceWorld).pinOf(stepOf(request)),
    };
    // A host mounts one of the two: the rights of tokens, or of its own users.
    const byToken = eventStreamHandler(shared);
    const byFunction = eventStreamHandler({
      ...shared,
      acl: (request: NodeRequest) => {
        const { who, by } = stepOf(request);
        return (current as FenceWorld).rightsOf(who, by === 'accessor');
      },
    });
    beforeAll(async () => {
      server = http.createServer((request, response) =>
        stepOf(request).by === 'token' ? byToken(request, response) : byFunction(request, response),
      );
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    });
    afterAll(() => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(resolve));
    });

    it(
      'on a real socket',
      () => {
        const { port } = server.address() as AddressInfo;
        return holdsFor(httpReader(port, encoding), fenceHistory, (world) => (current = world));
      },
      patienceMs,
    );
  });
});
