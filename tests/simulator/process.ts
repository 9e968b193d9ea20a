import { EventBroker } from 'fenceline';
import type { EventLog } from '../../src/core/log/event-log.ts';
import { defineTopics } from '../../src/model/topics.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { FaultyWay } from '../properties/faulty-way.ts';
import type { LogFault } from '../properties/fence-steps.ts';
import { Mounts } from './mounts.ts';
import type { Host, Mount, WireRequest } from './network.ts';
import type { RightsStore } from './rights-store.ts';
import { SkewedClock } from './skewed-clock.ts';
import type { Setting } from './steps.ts';
import type { Wire } from './wire.ts';

export const TIMEOUT_MS = 3000;
const STALLED_MS = 6000;
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
  readonly #way: FaultyWay | undefined;
  readonly #clock: SkewedClock;
  readonly #wires = new Set<Wire>();
  readonly #mounts: Mounts;
  isUp = true;

  constructor(
    clock: VirtualClock,
    store: RightsStore,
    setting: Setting,
    log: EventLog | undefined,
    tell: (what: string) => void,
  ) {
    this.#clock = new SkewedClock(clock);
    this.#way = log && new FaultyWay(log, { clock, slowMs: SLOW_MS, onHeard: () => undefined });
    const { maxBatches, maxRemovals, publishWhenDown } = setting;
    this.broker = new EventBroker({
      topics,
      acl: store.source(this.#clock),
      clock: this.#clock,
      buffer: { maxBatches, maxRemovals },
      reauthorizeTimeoutMs: TIMEOUT_MS,
      stalledMs: STALLED_MS,
      publishWhenDown,
      ...(this.#way && { log: this.#way.log }),
    });
    this.#mounts = new Mounts(this.broker, store);
    this.#listen(tell);
  }

  #listen(tell: (what: string) => void): void {
    this.broker.on('lagging', () => tell('lagging'));
    this.broker.on('revoked', ({ error }) => tell(`revoked ${error.code}`));
    this.broker.on('unsubscribe', ({ error }) => tell(`unsubscribe ${error?.code}`));
    this.broker.on('log', ({ status }) => tell(`log ${status}`));
  }

  serve(mount: Mount, wire: Wire, request: WireRequest): void {
    this.#wires.add(wire);
    this.#mounts.serve(mount, wire, request);
  }

  /** Its connections break without a word, what it was about to tell the log is lost; or it says goodbye. */
  end(isGraceful: boolean): void {
    this.isUp = false;
    if (!isGraceful) {
      for (const wire of this.#wires) wire.cut();
      void this.#way?.goDown();
    }
    this.recoverAppends();
    void this.broker.close().then(() => this.#way?.log.close());
  }

  /**
   * Its clock is set, forward or back; how long things take stays what it is. @returns how far it is off, in ms
   */
  jump(ms: number): number {
    return (this.#clock.offsetMs += ms);
  }

  setFault(fault: LogFault): void {
    this.#way?.setFault(fault);
  }

  recoverAppends(): void {
    this.#way?.releaseAppends();
  }

  recover(): void {
    this.#way?.recover();
    if (this.isUp) void this.#way?.goUp();
  }
}
