import { cpuSecondsOf, residentBytesOf } from './machine.mjs';

/** What a server process, and those that it started, spend while `body` runs. */
export class Meter {
  #pids;
  #credit;

  constructor(pids, credit) {
    this.#pids = pids;
    this.#credit = credit;
  }

  /** @returns wall and CPU seconds, with what `body` gives */
  async measure(body) {
    const clientBefore = await this.#credit.ask('cpu');
    const before = this.spent();
    const result = await body();
    const spent = this.since(before);
    const clientAfter = await this.#credit.ask('cpu');
    return { ...result, ...spent, clientCpuSeconds: clientAfter.seconds - clientBefore.seconds };
  }

  /** Resident memory now, in bytes, garbage collected before. */
  async memory() {
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const others = this.#pids.reduce((sum, pid) => sum + residentBytesOf(pid), 0);
    const { rss, heapUsed } = process.memoryUsage();
    return { residentBytes: others || rss, heapBytes: heapUsed };
  }

  since(before) {
    return Object.fromEntries(Object.entries(this.spent()).map(([name, value]) => [name, value - before[name]]));
  }

  spent() {
    const { user, system } = process.cpuUsage();
    const others = this.#pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
    return {
      wallSeconds: performance.now() / 1e3,
      cpuSeconds: (user + system) / 1e6 + others,
      // Of who delivers alone: where that is another process, this one only publishes.
      serverCpuSeconds: others || (user + system) / 1e6,
      systemSeconds: system / 1e6,
    };
  }
}
