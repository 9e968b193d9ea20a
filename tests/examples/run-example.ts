import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A running example: the same command as `npm run example`, on a free port. */
export class RunningExample {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #exited: Promise<unknown[]>;
  #wake: () => void = () => undefined;

  constructor(name: string, args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
    const command = ['--import', './tests/tooling/typescript.mjs', `examples/${name}.ts`, ...args];
    this.#child = spawn(process.execPath, command, { cwd: root, env: { ...process.env, PORT: '0', ...environment } });
    this.#exited = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#print(line));
    }
    void this.#exited.then(() => this.#wake());
  }

  get output(): string {
    return this.#lines.join('\n');
  }

  /** The first match in what it prints. @throws when it ends without one */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`The example ended without printing ${pattern}; it printed:\n${this.output}`);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The URL of the stream, from the curl line that it prints. */
  async url(): Promise<string> {
    return (await this.printed(/curl -sN '(http:[^']+)'/))[1] ?? '';
  }

  /** Its exit code, once it has ended by itself. */
  async ended(): Promise<number | null> {
    const [code] = await this.#exited;
    return code as number | null;
  }

  /** Ends it as Ctrl-C does. @returns its exit code */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    return this.ended();
  }

  /** On every way out. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #print(line: string): void {
    this.#lines.push(line);
    this.#wake();
  }
}

/** Lines of a stream until `isLast` says so. */
export async function linesUntil(
  url: string,
  isLast: (line: string) => boolean,
  headers: Record<string, string> = {},
): Promise<string[]> {
  const response = await fetch(url, { headers });
  const lines: string[] = [];
  let rest = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const parts = (rest + Buffer.from(chunk).toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      if (isLast(line)) return lines;
    }
  }
  return lines;
}
