import { type StreamError, type StreamOptions, type StreamState, streamEvents } from '../../src/client/index.ts';
import type { FakeServer } from './fake-server.ts';
import { VirtualClock } from './virtual-clock.ts';

export const url = 'http://server.test/v1/event/stream';

export interface Setting {
  readonly server: FakeServer;
  readonly clock: VirtualClock;
  readonly states: StreamState[];
  readonly stream: ReturnType<typeof streamEvents>;
}

/** A stream over a fake server on virtual time, whose random number is always 1: the delays are their upper bounds. */
export function open(server: FakeServer, options: StreamOptions = {}, clock = new VirtualClock()): Setting {
  const states: StreamState[] = [];
  const onState = (state: StreamState): void => void states.push(state);
  const stream = streamEvents(url, { fetch: server.fetch, clock, random: () => 1, onState, ...options });
  return { server, clock, states, stream };
}

/** The indexes of the next `count` batches; time passes as needed. */
export async function indexes({ stream, clock }: Pick<Setting, 'stream' | 'clock'>, count: number): Promise<number[]> {
  const seen: number[] = [];
  while (seen.length < count) {
    const next = stream.next();
    await clock.advance(60_000);
    const { value, done } = await next;
    if (done) break;
    seen.push(value.index);
  }
  return seen;
}

/** What the next call of `next` throws, when time passes as needed. */
export async function failure({ stream, clock }: Pick<Setting, 'stream' | 'clock'>): Promise<StreamError> {
  const next = stream.next().then(
    () => new Error('nothing was thrown'),
    (error: unknown) => error,
  );
  await clock.advance(3_600_000);
  return (await next) as StreamError;
}

export const asked = ({ requests }: FakeServer, name: string): (string | null)[] =>
  requests.map(({ query }) => query.get(name));
