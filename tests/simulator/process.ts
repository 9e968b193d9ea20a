import http from 'node:http';
import { EventBroker } from 'fenceline';
import type { Acl } from '../../src/acl/acl.ts';
import { fetchHandler } from '../../src/adapters/fetch.ts';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import type { EventLog } from '../../src/core/log/event-log.ts';
import type { Clock } from '../../src/model/clock.ts';
import { defineTopics } from '../../src/model/topics.ts';
import { FaultyEventLog, type HeldAppend } from '../../src/testing/faulty-event-log.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { LaggingLog } from '../properties/fence-log.ts';
import type { LogFault } from '../properties/fence-steps.ts';
import type { Host, Mount, WireRequest } from './network.ts';
import type { RightsStore } from './rights-store.ts';
import { ServerSocket } from './server-socket.ts';
import type { Setting } from './steps.ts';
import type { Wire } from './wire.ts';

export const TIMEOUT_MS = 3000;
export const HEARTBEAT_MS = 5000;
const STALLED_MS = 10_000;
const SLOW_MS = 700;

/** An event's payload. */
export interface Payload {
  readonly id: number;
  readonly level: number;
  readonly isGone: boolean;
  readonly pad: string;
}

export const topics = defineTopics({
  Order: {
    requires: { namespace: 'read-job' },
    visible: ({ level }: { level: number }, { payload }) => (payload as Payload).level <= level,
    retain: 'latest',
    removedBy: ({ payload }) => (payload as Payload).isGone,
  },
  Job: {
    requires: { namespace: 'read-job' },
    visible: ({ level }: { level: number }, { payload }) => (payload as Payload).level <= level,
  },
  Beacon: { requires: 'anyone' },
  ACLToken: { aclChange: 'token' },
  ACLPolicy: { aclChange: 'policy' },
});

/** A process that serves: a broker, its mounts and its way to the log. All of it is gone when it ends. */
export class Process implements Host {
  readonly broker;
  readonly #faulty: FaultyEventLog | undefined;
  readonly #lagging: LaggingLog | undefined;
  readonly #clock: SkewedClock;
  readonly #wires = new Set<Wire>();
  readonly #server: http.Server;
  readonly #serveFetch: (mount: Mount, wire: Wire, request: WireRequest) => Promise<void>;
  #held: HeldAppend[] = [];
  isUp = true;

  constructor(clock: VirtualClock, store: RightsStore, setting: Setting, log: EventLog | undefined) {
    this.#clock = new SkewedClock(clock);
    this.#faulty = log && new FaultyEventLog(log, { clock });
    this.#lagging = this.#faulty && new LaggingLog(this.#faulty, () => undefined);
    const { maxBatches, maxRemovals, publishWhenDown } = setting;
    this.broker = new EventBroker({
      topics,
      acl: store.source(this.#clock),
      clock: this.#clock,
      buffer: { maxBatches, maxRemovals },
      reauthorizeTimeoutMs: TIMEOUT_MS,
      stalledMs: STALLED_MS,
      publishWhenDown,
      ...(this.#lagging && { log: this.#lagging }),
    });
    const { broker } = this;
    const shared = { broker, heartbeatMs: HEARTBEAT_MS };
    const handlers = (['auto', 'response'] as const).map((writer) => {
      const pin = ({ headers }: http.IncomingMessage) => pinOf(headers['x-scope']);
      const byToken = eventStreamHandler<http.IncomingMessage>({ ...shared, writer, pin });
      const acl = ({ headers }: http.IncomingMessage): Promise<Acl> => store.rightsOf(String(headers['x-user']));
      return { byToken, byUser: eventStreamHandler<http.IncomingMessage>({ ...shared, writer, pin, acl }) };
    });
    this.#server = http.createServer((request, response) => {
      const [auto, plain] = handlers;
      const handler = request.headers['x-mount'] === 'response' ? plain : auto;
      void (request.headers['x-user'] ? handler?.byUser : handler?.byToken)?.(request, response);
    });
    const pin = ({ headers }: Request) => pinOf(headers.get('x-scope') ?? undefined);
    const byToken = fetchHandler({ ...shared, pin });
    const byUser = fetchHandler({ ...shared, pin, acl: ({ headers }) => store.rightsOf(headers.get('x-user') ?? '') });
    this.#serveFetch = async (_, wire, { path, headers }) => {
      const gone = new AbortController();
      wire.onHangUp = () => gone.abort();
      const handler = headers['x-user'] ? byUser : byToken;
      const response = await handler(new Request(`http://host${path}`, { headers, signal: gone.signal }));
      await sendOver(wire, response, gone.signal);
    };
  }

  serve(mount: Mount, wire: Wire, request: WireRequest): void {
    this.#wires.add(wire);
    if (mount === 'fetch') return void this.#serveFetch(mount, wire, request);
    const headers = Object.entries({ ...request.headers, Host: 'host', Connection: 'close', 'x-mount': mount });
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.#server.emit('connection', new ServerSocket(wire, `GET ${request.path} HTTP/1.1\r\n${lines}\r\n`));
  }

  /** Its connections break without a word, what it was about to tell the log is lost; or it says goodbye. */
  end(isGraceful: boolean): void {
    this.isUp = false;
    if (!isGraceful) {
      for (const wire of this.#wires) wire.cut();
      void this.#faulty?.goDown();
    }
    this.recoverAppends();
    void this.broker.close().then(() => this.#lagging?.close());
  }

  /**
   * Its clock is set, forward or back; how long things take stays what it is. @returns how far it is off, in ms
   */
  jump(ms: number): number {
    return (this.#clock.offsetMs += ms);
  }

  /** Not waited for: an outage takes its course while other things happen. */
  setFault(fault: LogFault): void {
    switch (fault) {
      case 'down':
        return void this.#faulty?.goDown();
      case 'up':
        return void this.#faulty?.goUp();
      case 'slow':
        return this.#faulty?.delayAppends(SLOW_MS);
      case 'lag':
        return this.#lagging?.lag();
      case 'catch-up':
        return this.#lagging?.catchUp();
      case 'hold-append':
      case 'hold-acknowledgement':
        if (this.#faulty) this.#held.push(this.#faulty.holdNextAppend(fault === 'hold-append' ? 'before' : 'after'));
        return;
      case 'refuse-append':
      case 'lose-acknowledgement':
        return this.#faulty?.failNextAppend(fault === 'refuse-append' ? 'before' : 'after');
      case 'release-appends':
        return this.recoverAppends();
    }
  }

  recoverAppends(): void {
    for (const append of this.#held.splice(0)) append.release();
  }

  recover(): void {
    this.recoverAppends();
    this.#faulty?.delayAppends(0);
    this.#lagging?.catchUp();
    if (this.isUp) void this.#faulty?.goUp();
  }
}

const pinOf = (scope: unknown) => (scope === 'allowed' ? ({ scope } as const) : undefined);

/** What a runtime that speaks fetch does with a handler's answer. */
async function sendOver(wire: Wire, { status, headers, body }: Response, gone: AbortSignal): Promise<void> {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const send = (text: string | Uint8Array): Promise<void> =>
    new Promise((resolve) => void wire.send(Buffer.from(text as string), resolve));
  await send(`HTTP/1.1 ${status} Whatever\r\n${lines}Transfer-Encoding: chunked\r\n\r\n`);
  const reader = body?.getReader();
  gone.addEventListener('abort', () => void reader?.cancel().catch(() => undefined));
  if (gone.aborted) void reader?.cancel();
  try {
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
      await send(`${read.value.length.toString(16)}\r\n`);
      await send(read.value);
      await send('\r\n');
    }
    await send('0\r\n\r\n');
    wire.finish();
  } catch {
    wire.cut();
  }
}

/** A machine's clock: its time of day is set by hand, its timers are not. */
class SkewedClock implements Clock {
  readonly #clock: VirtualClock;
  offsetMs = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now() + this.offsetMs;
  }

  elapsed(): number {
    return this.#clock.now();
  }

  after(delayMs: number, call: () => void): ReturnType<Clock['after']> {
    return this.#clock.after(delayMs, call);
  }

  soon(call: () => void): ReturnType<Clock['soon']> {
    return this.#clock.soon(call);
  }
}
