import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ServerSays } from './server.ts';

type Targets = Extract<ServerSays, { targets: unknown }>['targets'];
export type Target = Targets[number];
export type Taken = Exclude<ServerSays, { targets: unknown }>;

const file = fileURLToPath(new URL('server.ts', import.meta.url));
const loader = new URL('../tooling/typescript.mjs', import.meta.url).href;
const execArgv = ['--expose-gc', '--enable-source-maps', '--import', loader];

/** A process of server.ts, which can be ended and started again: its ports are others then. */
export class ServerProcess {
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #targets: Targets = [];

  constructor(...args: string[]) {
    this.#args = args;
  }

  get isUp(): boolean {
    return this.#targets.length > 0;
  }

  /** Where a mount is now. @throws Error while the server is down, as a connection to it would */
  target(name: string): Target {
    const found = this.#targets.find((target) => target.name === name);
    if (!found) throw new Error('The server is down.');
    return found;
  }

  get targets(): Targets {
    return this.#targets;
  }

  async start(): Promise<void> {
    const child = fork(file, this.#args, { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child = child;
    const said = await answerOf(child);
    const targets = typeof said === 'object' && said !== null && 'targets' in said ? said.targets : undefined;
    if (!targets) throw new Error('The server ended before it listened.');
    this.#targets = targets;
  }

  /** Ends it as `SIGKILL` does, or with `broker.close()`. @returns its exit code: 0 when it left nothing behind */
  async end(how: 'kill' | 'close'): Promise<number | null> {
    const child = this.#child;
    this.#targets = [];
    if (!child || child.exitCode !== null || child.signalCode !== null) return 1;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    if (how === 'kill') child.kill('SIGKILL');
    else child.send('close');
    const [code] = await exited;
    return code;
  }

  /** What it takes, after its collector ran; undefined when it ends meanwhile. */
  async taken(): Promise<Taken | undefined> {
    const child = this.#child;
    if (!child || !this.isUp) return undefined;
    const answer = answerOf(child);
    child.send('memory');
    const said = await answer;
    return typeof said === 'object' && said !== null && 'heapBytes' in said ? said : undefined;
  }
}

/** What it says next, or the exit code of one that ends before it says anything. */
async function answerOf(child: ChildProcess): Promise<ServerSays | number | null> {
  const over = new AbortController();
  const { signal } = over;
  try {
    const [said] = (await Promise.race([once(child, 'message', { signal }), once(child, 'exit', { signal })])) as [
      ServerSays | number | null,
    ];
    return said;
  } finally {
    over.abort();
  }
}
