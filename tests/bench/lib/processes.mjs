// Child processes: started here, pinned to a core, ended by their id on every way out.
import { execFileSync, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const owned = new Set();

process.on('exit', () => owned.forEach((pid) => kill(pid)));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

export class Child {
  #process;
  #pids = [];

  constructor(module, { core, execArgv = [] }) {
    this.#process = fork(fileURLToPath(module), [], {
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process.on('error', () => undefined);
    this.#process.on('message', ({ started }) => this.#own(started ?? []));
    this.#own([this.#process.pid]);
    pin(this.#process.pid, core);
  }

  /** Sends a message and resolves with the answer; at most one is under way. */
  ask(message, limitMs = 180_000) {
    return new Promise((resolve, reject) => {
      const child = this.#process;
      const settle = (act) => {
        clearTimeout(timer);
        child.off('message', onMessage);
        child.off('exit', onExit);
        act();
      };
      const onMessage = ({ error, result, started }) => {
        if (!started) settle(() => (error ? reject(new Error(error)) : resolve(result)));
      };
      const onExit = (code, signal) => settle(() => reject(new Error(`ended early: ${code ?? signal}`)));
      const timer = setTimeout(() => settle(() => reject(new Error('gave no answer in time'))), limitMs);
      child.on('message', onMessage);
      child.on('exit', onExit);
      child.send(message);
    });
  }

  /** Asks it to end, and kills it when it does not. */
  async end() {
    const child = this.#process;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      const timer = setTimeout(() => kill(child.pid), 3000);
      if (child.connected) child.disconnect();
      await gone;
      clearTimeout(timer);
    }
    for (const pid of this.#pids) {
      if (pid !== child.pid) kill(pid);
      owned.delete(pid);
    }
  }

  #own(pids) {
    this.#pids.push(...pids);
    for (const pid of pids) owned.add(pid);
  }
}

/** The server has one core and its clients another, where there are two and `taskset` is there. */
function pin(pid, core) {
  if (core === undefined) return;
  try {
    execFileSync('taskset', ['-a', '-cp', String(core), String(pid)], { stdio: 'ignore' });
  } catch {
    // Unpinned, the figures scatter more.
  }
}

/** From a child: the parent kills what it started, should the child be killed first. */
export const tellStarted = (pids) => process.send?.({ started: pids });

/** The other side: answers each message with what `answer` gives; ends with its parent. */
export function serveParent(answer) {
  process.on('message', (message) => {
    Promise.resolve()
      .then(() => answer(message))
      .then((result) => process.send({ result }))
      .catch((error) => process.send({ error: String(error?.stack ?? error) }));
  });
  process.on('disconnect', () => process.exit(0));
}
