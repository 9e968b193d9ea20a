import type { ServerProcess } from './server-process.ts';
import type { StoreServer } from './store-server.ts';

/** A way to a server's port that can be cut: `SwitchedPort` of the logs' tests. */
interface Way {
  switchTo(target: number, meanwhile: () => Promise<void>): Promise<void>;
}

export interface FaultOptions {
  /** The one that is killed and started again; the other one runs through, so that its memory can be watched. */
  readonly restarted: ServerProcess;
  readonly store: StoreServer;
  /** Each process has a way of its own to the log. */
  readonly ways: readonly Way[];
  readonly logPort: number;
  readonly random: () => number;
  readonly isOver: () => boolean;
  readonly count: (name: string) => void;
  readonly poison: () => Promise<void>;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What goes wrong, one after the other, a few seconds apart. */
export class Faults {
  readonly #options: FaultOptions;

  constructor(options: FaultOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { random, isOver, count } = this.#options;
    const kinds = [
      ['server killed', () => this.#restart('kill')],
      ['server closed and started again', () => this.#restart('close')],
      ['log out of reach', () => this.#outage(300 + random() * 3000)],
      ['connections to the log cut', () => this.#outage(0)],
      ['ACL store down', () => this.#storeDown()],
      ['ACL store slow', () => this.#storeSlow()],
      ['record that is not ours', () => this.#options.poison()],
    ] as const;
    while (!isOver()) {
      await pause(4000 + random() * 10_000);
      const [name, strike] = kinds[Math.floor(random() * kinds.length)] ?? kinds[0];
      if (isOver()) return;
      count(name);
      await strike();
    }
  }

  async #restart(how: 'kill' | 'close'): Promise<void> {
    const { restarted, random } = this.#options;
    await restarted.end(how);
    await pause(random() * 1000);
    await restarted.start();
  }

  /** For one process, or for all of them. */
  async #outage(ms: number): Promise<void> {
    const { ways, random, logPort } = this.#options;
    const one = ways[Math.floor(random() * ways.length)];
    const hit = random() < 0.4 || !one ? ways : [one];
    await Promise.all(hit.map((way) => way.switchTo(logPort, () => pause(ms))));
  }

  async #storeDown(): Promise<void> {
    const { store, random } = this.#options;
    store.isDown = true;
    await pause(300 + random() * 2000);
    store.isDown = false;
  }

  async #storeSlow(): Promise<void> {
    const { store, random } = this.#options;
    store.delayMs = 50 + random() * 800;
    await pause(1000 + random() * 3000);
    store.delayMs = 0;
  }
}
