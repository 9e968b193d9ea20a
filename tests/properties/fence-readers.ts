import http from 'node:http';
import { constants, gunzipSync } from 'node:zlib';
import { ndjsonFormat, ndjsonStream } from '../../src/adapters/ndjson.ts';
import { BrokerError } from '../../src/model/errors.ts';
import type { NodeRequest } from '../../src/adapters/http.ts';
import type { SubscribeOptions } from '../../src/core/broker/subscribe-request.ts';
import type { Subscription } from '../../src/core/delivery/subscription.ts';
import type { SubscribeStep } from './fence-steps.ts';
import type { DrivenReader, FenceWorld, OpenReader } from './fence-world.ts';
import type { FenceWitness } from './fence-witness.ts';

async function subscribe(world: FenceWorld, step: SubscribeStep, witness: FenceWitness): Promise<Subscription> {
  const { broker } = world.process(step.process);
  const { index, namespace, scope, isPinned } = step;
  const asked = isPinned ? { pin: () => world.pinOf(step) } : { namespace, scope };
  const subscription = await broker.subscribe({ topics: ['Job'], index, ...asked, ...credentialOf(world, step) });
  witness.opened();
  return subscription as unknown as Subscription;
}

/** The step that a request of the {@link httpReader} was sent for: what a session would tell a host. */
export const stepOf = ({ headers }: NodeRequest): SubscribeStep =>
  JSON.parse(String(headers['x-step'])) as SubscribeStep;

/** What a subscription is opened with. */
function credentialOf(world: FenceWorld, { who, by }: SubscribeStep): Pick<SubscribeOptions, 'token' | 'acl'> {
  return by === 'token' ? { token: `s3cret-of-${who}` } : { acl: () => world.rightsOf(who, by === 'accessor') };
}

/** Feeds a witness with the lines of a stream. */
export class LineWitness {
  readonly #witness: FenceWitness;
  #rest = '';

  constructor(witness: FenceWitness) {
    this.#witness = witness;
  }

  take(bytes: Uint8Array): void {
    const lines = (this.#rest + Buffer.from(bytes).toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(JSON.parse(line) as WireLine);
  }

  #line({ Index, Events, Gap, Error: error }: WireLine): void {
    if (Events && Index) this.#witness.batch({ index: Index, namespaces: Events.map(({ Namespace }) => Namespace) });
    if (Gap) this.#witness.gap({ from: Gap.From, to: Gap.To });
    if (error) this.#witness.ended(error.Code);
  }
}

interface WireLine {
  readonly Index?: number;
  readonly Events?: readonly { readonly Namespace: string }[];
  readonly Gap?: { readonly From: number; readonly To: number };
  readonly Error?: { readonly Code: string };
}

/** Reads by `poll()`, and only when the history says so. */
export const openPolling: OpenReader = async (world, step, witness) => {
  const subscription = await subscribe(world, step, witness);
  return {
    read: (count) => pollUpTo(subscription, count, witness),
    block: () => undefined,
    close: () => {
      if (subscription.error === undefined && subscription.state !== 'closed') witness.ended(undefined);
      subscription.close();
    },
  };
};

function pollUpTo(subscription: Subscription, count: number, witness: FenceWitness): void {
  try {
    for (let i = 0; i < count; i++) {
      const batch = subscription.poll();
      if (batch === undefined) return;
      if (batch.gap) witness.gap(batch.gap);
      witness.batch({ index: batch.index, namespaces: batch.events.map(({ namespace }) => namespace) });
    }
  } catch (error) {
    if (!BrokerError.is(error)) throw error;
    witness.ended(error.code);
  }
}

/** A transport that blocks as the history says, and witnesses each write at the moment when it is made. */
export const openSink: OpenReader = async (world, step, witness) => {
  const subscription = await subscribe(world, step, witness);
  const lines = new LineWitness(witness);
  let isBlocked = step.isBlocked;
  const failures: unknown[] = [];
  const take = (bytes: Uint8Array): void => {
    try {
      lines.take(bytes);
    } catch (error) {
      // A transport that throws would just lose its stream: the history has to hear of it.
      failures.push(error);
    }
  };
  const sink = {
    write: (bytes: Uint8Array) => (take(bytes), !isBlocked),
    end: (last?: Uint8Array) => {
      if (last) take(last);
    },
  };
  const delivery = subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 1000, bookmarks: true });
  const reader: DrivenReader = {
    read: () => {
      isBlocked = false;
      delivery.drained();
      if (failures.length > 0) throw failures[0];
    },
    block: () => void (isBlocked = true),
    close: () => {
      if (subscription.state !== 'closed') witness.ended(undefined);
      subscription.close();
    },
  };
  return reader;
};

/** A Node stream of which the history reads chunk by chunk. */
export const openNodeStream: OpenReader = async (world, step, witness) => {
  const subscription = await subscribe(world, step, witness);
  const stream = ndjsonStream(subscription, { heartbeatMs: 0, highWaterMarkBytes: step.isBlocked ? 1 : 4096 });
  const lines = new LineWitness(witness);
  return {
    read: (count) => {
      for (let i = 0; i < count; i++) {
        const chunk = stream.read() as Buffer | null;
        if (chunk === null) return;
        lines.take(chunk);
      }
    },
    block: () => undefined,
    close: () => {
      if (subscription.state !== 'closed') witness.ended(undefined);
      stream.destroy();
    },
  };
};

/**
 * A client on a real socket, that stops reading when the history says so. @param port where the handler of the world's
 * broker listens
 */
export function httpReader(port: number, encoding: 'identity' | 'gzip'): OpenReader {
  return async (_, step, witness) => {
    const { who, by, namespace, index, isBlocked, isPinned } = step;
    const asked = isPinned ? '' : `&namespace=${encodeURIComponent(namespace)}`;
    const path = `/?topic=Job${asked}&index=${index}`;
    const token = by === 'token' ? { 'X-Nomad-Token': `s3cret-of-${who}` } : {};
    const headers = { 'X-Step': JSON.stringify(step), 'Accept-Encoding': encoding, ...token };
    const request = http.request({ host: '127.0.0.1', port, path, headers, agent: false });
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      request.on('response', resolve).on('error', reject).end();
    });
    if (response.statusCode !== 200) {
      response.resume();
      throw new BrokerError('permission_denied', `The answer was ${response.statusCode}.`);
    }
    witness.opened();
    return new HttpReader(request, response, witness, isBlocked);
  };
}

/** At once, and not on another thread: what has come is seen. Begins anew each time, which is enough for a test. */
function gunzipping(): (chunk: Buffer) => Buffer {
  let compressed = Buffer.alloc(0);
  let seen = 0;
  return (chunk) => {
    compressed = Buffer.concat([compressed, chunk]);
    const text = gunzipSync(compressed, { finishFlush: constants.Z_SYNC_FLUSH });
    const fresh = text.subarray(seen);
    seen = text.length;
    return fresh;
  };
}

class HttpReader implements DrivenReader {
  readonly #request: http.ClientRequest;
  readonly #response: http.IncomingMessage;
  readonly #witness: FenceWitness;
  #failure: unknown;
  #isEnded = false;

  constructor(request: http.ClientRequest, response: http.IncomingMessage, witness: FenceWitness, isBlocked: boolean) {
    this.#request = request;
    this.#response = response;
    this.#witness = witness;
    const lines = new LineWitness(witness);
    const decode = response.headers['content-encoding'] === 'gzip' ? gunzipping() : (chunk: Buffer) => chunk;
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    response.on('end', () => (this.#isEnded = true));
    response.on('data', (chunk: Buffer) => {
      try {
        lines.take(decode(chunk));
      } catch (error) {
        this.#failure ??= error;
      }
    });
    if (isBlocked) response.pause();
  }

  /** Everything that is on its way has time to arrive. */
  async read(count: number): Promise<void> {
    this.#response.resume();
    if (count === Infinity) for (let turn = 0; turn < 20 && !this.#isEnded; turn++) await new Promise(setImmediate);
    if (this.#failure !== undefined) throw this.#failure;
  }

  block(): void {
    this.#response.pause();
  }

  close(): void {
    if (!this.#isEnded) this.#witness.ended(undefined);
    this.#request.destroy();
  }
}
