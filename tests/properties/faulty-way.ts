import type { Clock } from '../../src/model/clock.ts';
import type { EventLog } from '../../src/core/log/event-log.ts';
import { FaultyEventLog, type HeldAppend } from '../../src/testing/faulty-event-log.ts';
import { LaggingLog } from './fence-log.ts';
import type { LogFault } from './fence-steps.ts';

export interface FaultyWayOptions {
  readonly clock: Clock;
  /** How long a slow append takes. */
  readonly slowMs: number;
  readonly onHeard: (index: number) => void;
}

/** One process's way to a log that it shares, and what goes wrong on it. */
export class FaultyWay {
  /** For the broker. */
  readonly log: LaggingLog;
  readonly #faulty: FaultyEventLog;
  readonly #slowMs: number;
  readonly #held: HeldAppend[] = [];

  constructor(log: EventLog, { clock, slowMs, onHeard }: FaultyWayOptions) {
    this.#faulty = new FaultyEventLog(log, { clock });
    this.log = new LaggingLog(this.#faulty, onHeard);
    this.#slowMs = slowMs;
  }

  /** Not waited for: an outage takes its course while other things happen. */
  setFault(fault: LogFault): void {
    switch (fault) {
      case 'down':
        return void this.goDown();
      case 'up':
        return void this.goUp();
      case 'slow':
        return this.#faulty.delayAppends(this.#slowMs);
      case 'lag':
        return this.log.lag();
      case 'catch-up':
        return this.log.catchUp();
      case 'hold-append':
      case 'hold-acknowledgement':
        this.#held.push(this.#faulty.holdNextAppend(fault === 'hold-append' ? 'before' : 'after'));
        return;
      case 'refuse-append':
      case 'lose-acknowledgement':
        return this.#faulty.failNextAppend(fault === 'refuse-append' ? 'before' : 'after');
      case 'release-appends':
        return this.releaseAppends();
    }
  }

  goDown(): Promise<void> {
    return this.#faulty.goDown();
  }

  goUp(): Promise<void> {
    return this.#faulty.goUp();
  }

  releaseAppends(): void {
    for (const append of this.#held.splice(0)) append.release();
  }

  /** Every fault ends, but an outage, and those that the next appends still have to meet. */
  recover(): void {
    this.releaseAppends();
    this.#faulty.delayAppends(0);
    this.log.catchUp();
  }
}
