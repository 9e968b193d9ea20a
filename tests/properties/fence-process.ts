import { AclResolver } from '../../src/acl/acl-resolver.ts';
import type { AclStore } from '../../src/acl/acl-store.ts';
import type { Clock } from '../../src/model/clock.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import type { EventLog } from '../../src/core/log/event-log.ts';
import { defineTopics } from '../../src/model/topics.ts';
import { FaultyWay } from './faulty-way.ts';
import type { LogFault } from './fence-steps.ts';
import { nomadRights } from '../../src/nomad/index.ts';

export const TIMEOUT_MS = 5000;

/** A look-up, an append or an acknowledgement that is slow takes so long. */
export const DELAY_MS = 700;

/** An event's key says its level. */
export const levelOfKey = (key: string): number => Number(key.slice(1));

export const topics = defineTopics({
  Job: {
    requires: { namespace: 'read-job' },
    visible: ({ level }: { level: number }, { key }) => levelOfKey(key) <= level,
  },
  ACLToken: { aclChange: 'token' },
  ACLPolicy: { aclChange: 'policy' },
  ACLRole: { aclChange: 'role' },
});

export interface FenceProcessOptions {
  readonly store: AclStore;
  readonly clock: Clock;
  readonly maxBatches: number;
  /** Its own handle on the shared log. */
  readonly log?: EventLog | undefined;
  readonly publishWhenDown?: 'fail' | 'wait' | undefined;
  readonly onHeard: (index: number) => void;
}

/** One process: a broker with a resolver of its own and, where there is a log, the faults on its way to it. */
export class FenceProcess {
  readonly broker;
  readonly #way: FaultyWay | undefined;

  constructor({ store, clock, maxBatches, log, publishWhenDown = 'fail', onHeard }: FenceProcessOptions) {
    this.#way = log && new FaultyWay(log, { clock, slowMs: DELAY_MS, onHeard });
    this.broker = new EventBroker({
      topics,
      acl: new AclResolver({ rights: nomadRights, store, clock }),
      clock,
      buffer: { maxBatches },
      reauthorizeTimeoutMs: TIMEOUT_MS,
      publishWhenDown,
      ...(this.#way && { log: this.#way.log }),
    });
  }

  get head(): number {
    return this.broker.stats().latestIndex;
  }

  setFault(fault: LogFault): void {
    this.#way?.setFault(fault);
  }

  /** Every fault ends, but for those that the next appends still have to meet. */
  async recover(): Promise<void> {
    this.#way?.recover();
    await this.#way?.goUp();
  }
}
