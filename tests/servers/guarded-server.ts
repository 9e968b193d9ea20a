import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/**
 * Starts the server, tells its process id, and ends it when standard input ends: with this process, whatever ends that
 * one, no server is left behind.
 */
const GUARD = '"$@" & echo "guarded $!"; cat >/dev/null; kill -9 $!; wait';
const MOST_LINES = 200;

/** One process of a server for tests, which dies with the process of the tests. */
export class GuardedServer {
  readonly #guard: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #printed: string[] = [];
  #pid = 0;

  private constructor(command: readonly string[], env: NodeJS.ProcessEnv | undefined) {
    this.#guard = spawn('/bin/sh', ['-c', GUARD, 'sh', ...command], { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.#closed = once(this.#guard, 'close');
  }

  /**
   * @param ready what a line that it prints holds once it takes connections
   * @param env default: that of this process
   * @throws Error with what it printed, when it ends before that
   */
  static async start(command: readonly string[], ready: string, env?: NodeJS.ProcessEnv): Promise<GuardedServer> {
    const server = new GuardedServer(command, env);
    const ended = server.#closed.then(() => {
      throw new Error(`${command[0]} ended:\n${server.#printed.join('\n')}`);
    });
    ended.catch(() => undefined);
    await Promise.race([server.#whenPrinted(ready), ended]);
    return server;
  }

  /** Ends it as a crash would, and waits until it and all its processes are gone. */
  async kill(): Promise<void> {
    if (this.#pid > 0) process.kill(this.#pid, 'SIGKILL');
    this.#pid = 0;
    this.#guard.stdin?.end();
    await this.#closed;
  }

  /** It keeps its connections and answers nothing, as one that cannot be reached. */
  async freeze(): Promise<void> {
    process.kill(this.#pid, 'SIGSTOP');
    // The signal takes effect a moment later.
    for (let state = ''; !state.startsWith('T');) {
      ({ stdout: state } = await promisify(execFile)('ps', ['-o', 'state=', '-p', `${this.#pid}`]));
    }
  }

  thaw(): void {
    process.kill(this.#pid, 'SIGCONT');
  }

  #whenPrinted(ready: string): Promise<void> {
    return new Promise((resolve) => {
      const take = (line: string): void => {
        if (line.startsWith('guarded ')) this.#pid = Number(line.split(' ')[1]);
        if (this.#printed.length < MOST_LINES) this.#printed.push(line);
        if (line.includes(ready)) resolve();
      };
      for (const stream of [this.#guard.stdout, this.#guard.stderr])
        if (stream) createInterface(stream).on('line', take);
    });
  }
}
