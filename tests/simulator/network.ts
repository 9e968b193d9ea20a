import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { HttpAnswer } from './http-answer.ts';
import { Random } from './random.ts';
import { Wire } from './wire.ts';

/** What listens at the other end: a process that serves. */
export interface Host {
  readonly isUp: boolean;
  /** Serves one request over the wire. @param mount which of its mounts */
  serve(mount: Mount, wire: Wire, request: WireRequest): void;
}

export type Mount = 'node' | 'response' | 'fetch';

export interface WireRequest {
  readonly path: string;
  /** By their lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a reader's connections are like, one after the other. */
export interface Line {
  readonly mount: Mount;
  readonly seed: number;
  readonly onWire: (wire: Wire) => void;
}

/** The network between clients and processes, with a balancer that sends each connection to any of them. */
export class Network {
  readonly #clock: VirtualClock;
  readonly #hosts: () => readonly Host[];
  /** Connections that are not over. */
  readonly wires = new Set<Wire>();

  constructor(clock: VirtualClock, hosts: () => readonly Host[]) {
    this.#clock = clock;
    this.#hosts = hosts;
  }

  /** A `fetch` for one reader. */
  fetchFor({ mount, seed, onWire }: Line): typeof fetch {
    const random = new Random(seed);
    return async (input, init = {}) => {
      const wire = new Wire(this.#clock, random.seed());
      const hosts = this.#hosts();
      const host = hosts[random.below(hosts.length)];
      this.wires.add(wire);
      wire.onOver = () => this.wires.delete(wire);
      onWire(wire);
      const { pathname, search } = new URL(input as string | URL);
      const headers = Object.fromEntries(new Headers(init.headers));
      const request = { path: pathname + search, headers };
      init.signal?.addEventListener('abort', () => wire.hangUp());
      wire.travel(() => {
        if (wire.isOver) return;
        if (host?.isUp) host.serve(mount, wire, request);
        else wire.cut();
      });
      return new HttpAnswer(wire).response();
    };
  }
}
