import { AclResolver } from '../../src/acl/acl-resolver.ts';
import type { AclStore } from '../../src/acl/acl-store.ts';
import type { Clock } from '../../src/model/clock.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import type { EventLog } from '../../src/core/log/event-log.ts';
import { defineTopics } from '../../src/model/topics.ts';
import { FaultyEventLog, type HeldAppend } from '../../src/testing/faulty-event-log.ts';
import type { LogFault } from './fence-steps.ts';
import { LaggingLog } from './fence-log.ts';
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
  readonly #faulty: FaultyEventLog | undefined;
  readonly #lagging: LaggingLog | undefined;
  readonly #held: HeldAppend[] = [];

  constructor({ store, clock, maxBatches, log, publishWhenDown = 'fail', onHeard }: FenceProcessOptions) {
    this.#faulty = log && new FaultyEventLog(log, { clock });
    this.#lagging = this.#faulty && new LaggingLog(this.#faulty, onHeard);
    this.broker = new EventBroker({
      topics,
      acl: new AclResolver({ rights: nomadRights, store, clock }),
      clock,
      buffer: { maxBatches },
      reauthorizeTimeoutMs: TIMEOUT_MS,
      publishWhenDown,
      ...(this.#lagging ? { log: this.#lagging } : {}),
    });
  }

  get head(): number {
    return this.broker.stats().latestIndex;
  }

  /** Not waited for: an outage takes its course while other things happen. */
  setFault(fault: LogFault): void {
    switch (fault) {
      case 'down':
        return void this.#faulty?.goDown();
      case 'up':
        return void this.#faulty?.goUp();
      case 'slow':
        return this.#faulty?.delayAppends(DELAY_MS);
      case 'lag':
        return this.#lagging?.lag();
      case 'catch-up':
        return this.#lagging?.catchUp();
      case 'hold-append':
      case 'hold-acknowledgement':
        return this.#hold(fault === 'hold-append' ? 'before' : 'after');
      case 'refuse-append':
      case 'lose-acknowledgement':
        return this.#faulty?.failNextAppend(fault === 'refuse-append' ? 'before' : 'after');
      case 'release-appends':
        return this.#held.splice(0).forEach((append) => append.release());
    }
  }

  /** Every fault ends, but for those that the next appends still have to meet. */
  async recover(): Promise<void> {
    this.#held.splice(0).forEach((append) => append.release());
    this.#faulty?.delayAppends(0);
    this.#lagging?.catchUp();
    await this.#faulty?.goUp();
  }

  #hold(moment: 'before' | 'after'): void {
    if (this.#faulty) this.#held.push(this.#faulty.holdNextAppend(moment));
  }
}
