import { FakeConnection } from './fake-server.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Releases that differ in how they end and deny a stream. */
export const nomadKinds = ['1.10', '1.11.2', '2.0'] as const;
export type NomadKind = (typeof nomadKinds)[number];

/** An event as Nomad writes it. */
export type NomadWireEvent = Readonly<Record<string, unknown>> & {
  readonly Topic: string;
  readonly Type: string;
  readonly Key: string;
};

interface Line {
  readonly index: number;
  readonly events: readonly NomadWireEvent[];
}

interface Stream {
  readonly connection: FakeConnection;
  readonly topics: readonly string[];
}

/** How many lines Nomad's event buffer holds by default. */
export const BACKLOG_LINES = 100;

/**
 * Nomad's event stream as its servers were seen to speak it, behind a `fetch`: no epoch, no bookmarks, no gaps told;
 * several lines with one index; a backlog of 100 lines, from which a reader starts wherever it can; the newest line
 * again for who asks past it; payload members in another order each time. It knows no client code.
 */
export class NomadServer {
  readonly #kind: NomadKind;
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  #held: Line[] = [];
  #streams: Stream[] = [];
  /** Tokens that are not good. */
  readonly denied = new Set<string | null>();
  readonly requests: URLSearchParams[] = [];
  readonly tokens: (string | null)[] = [];

  constructor(kind: NomadKind, clock: VirtualClock, random: () => number) {
    this.#kind = kind;
    this.#clock = clock;
    this.#random = random;
  }

  publish(index: number, events: readonly NomadWireEvent[]): void {
    const line = { index, events };
    this.#held = [...this.#held, line].slice(-BACKLOG_LINES);
    for (const stream of this.#streams) this.#send(stream, line);
  }

  /** Every stream is cut, in one of the ways of a network: within a line or not, at once or after what was sent. */
  cut(): void {
    for (const { connection } of this.#takeStreams()) {
      if (this.#random() < 0.3) connection.send('{"Events":[{"FilterKe');
      if (this.#random() < 0.5) connection.end();
      else connection.cut();
    }
  }

  /** Every reader is taken for a slow one. */
  drop(): void {
    for (const { connection } of this.#takeStreams()) {
      if (this.#kind === '1.10') connection.send('event dropped from buffer').end();
      else connection.cut();
    }
  }

  /** The backlog is gone; indexes go on, or begin anew, as the caller says with what it publishes next. */
  restart(): void {
    this.cut();
    this.#held = [];
  }

  /** A token is deleted: its streams end as this release ends them. */
  revoke(token: string): void {
    this.denied.add(token);
    for (const { connection } of this.#takeStreams()) {
      if (this.#kind === '1.10') connection.send('subscription closed by server, client should resubscribe').end();
      else this.#cutLater(connection);
    }
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const query = new URL(input instanceof Request ? input.url : input).searchParams;
    const token = new Headers(init?.headers).get('X-Nomad-Token');
    this.requests.push(query);
    this.tokens.push(token);
    const connection = new FakeConnection(init?.signal ?? new AbortController().signal);
    if (!this.denied.has(token)) this.#open(connection, query);
    else if (this.#kind === '1.10') return new Response('Permission denied', { status: 403 });
    else this.#cutLater(connection);
    return new Response(connection.body, { headers: { 'Content-Type': 'application/json' } });
  };

  #open(connection: FakeConnection, query: URLSearchParams): void {
    const stream = { connection, topics: query.getAll('topic') };
    this.#streams.push(stream);
    connection.send({});
    const from = this.#held.findIndex(({ index }) => index >= Number(query.get('index')));
    for (const line of this.#held.slice(from < 0 ? -1 : from)) this.#send(stream, line);
  }

  #send({ connection, topics }: Stream, { index, events }: Line): void {
    const wanted = events.filter(({ Topic }) => topics.length === 0 || topics.includes(Topic));
    if (wanted.length > 0 && !connection.isFreed)
      connection.send({ Events: wanted.map((event) => this.#shuffled(event)), Index: index });
  }

  #shuffled(event: NomadWireEvent): NomadWireEvent {
    const payload = Object.entries((event.Payload ?? {}) as object);
    const order = payload.map((entry) => ({ entry, at: this.#random() })).toSorted((a, b) => a.at - b.at);
    return { ...event, Payload: Object.fromEntries(order.map(({ entry }) => entry)) };
  }

  #cutLater(connection: FakeConnection): void {
    this.#clock.after(20_000 + this.#random() * 50_000, () => (connection.isFreed ? undefined : connection.cut()));
  }

  #takeStreams(): readonly Stream[] {
    const streams = this.#streams.filter(({ connection }) => !connection.isFreed);
    this.#streams = [];
    return streams;
  }
}
