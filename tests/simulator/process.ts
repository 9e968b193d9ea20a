import { EventBroker } from 'fenceline';
import type { EventLog } from '../../src/core/log/event-log.ts';
import { defineTopics } from '../../src/model/topics.ts';
import { FaultyEventLog, type HeldAppend } from '../../src/testing/faulty-event-log.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { LaggingLog } from '../properties/fence-log.ts';
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
  readonly #faulty: FaultyEventLog | undefined;
  readonly #lagging: LaggingLog | undefined;
  readonly #clock: SkewedClock;
  readonly #wires = new Set<Wire>();
  readonly #mounts: Mounts;
  #held: HeldAppend[] = [];
  isUp = true;

  constructor(
    clock: VirtualClock,
    store: RightsStore,
    setting: Setting,
    log: EventLog | undefined,
    tell: (what: string) => void,
  ) {
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
