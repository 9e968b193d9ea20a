// Runs a program of a document as its reader would: it is saved under its name, started, and what it prints or answers
// is compared with what the document shows.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCurl, type CurlCommand } from './curl.ts';
import { programsOf, type Program } from './documents.ts';

const freePort = fileURLToPath(new URL('free-port.mjs', import.meta.url));

/** To be compared. `…` in what is shown stands for any text: what differs from run to run, or is too long to show. */
interface Outcome {
  readonly shown: string;
  readonly seen: string;
}

/**
 * @param folder for the programs of its document, which may import each other; packages are found from there
 * @param nodeArgs as `--import …`
 * @returns what the document shows beside what came; a program with neither output nor commands after it prints nothing
 */
export async function runProgram(program: Program, folder: string, nodeArgs: readonly string[]): Promise<Outcome> {
  mkdirSync(folder, { recursive: true });
  for (const { file, code } of programsOf(program.document)) writeFileSync(join(folder, file), code);
  const running = new RunningProgram(program.file, folder, nodeArgs);
  const { language, code: shown = '' } = program.next ?? {};
  try {
    if (language === 'sh') return alike(shown, await type(shown, running));
    return alike(language === 'text' ? shown : '', await running.ended());
  } finally {
    running.kill();
  }
}

function alike(text: string, seen: string): Outcome {
  const shown = text.trimEnd();
  const pattern = shown.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '[^]*');
  return new RegExp(`^${pattern}$`).test(seen) ? { shown, seen: shown } : { shown, seen };
}

/** Types the lines of a block that begin with `curl`, and waits after each for the lines that the block shows. */
async function type(shown: string, running: RunningProgram): Promise<string> {
  const seen: string[] = [];
  const open: Connection[] = [];
  const jars = new Map<string, string>();
  try {
    for (const step of shown.split(/^(?=curl )/m)) {
      const [line = '', ...expected] = step.replace(/\n$/, '').split('\n');
      const command = parseCurl(line);
      const port = await running.port(Number(new URL(command.url).port));
      const connection = new Connection(await ask(command, port, jars));
      open.push(connection);
      seen.push(line);
      for (const _ of expected) seen.push(await next(open));
      // A command that shows nothing answers nothing: what it answers all the same is a difference.
      if (expected.length === 0 && !command.isInBackground) seen.push(...(await connection.rest()));
    }
  } finally {
    await Promise.all(open.map((connection) => connection.close()));
  }
  return seen.join('\n');
}

async function ask({ url, init, readsJar, writesJar }: CurlCommand, port: number, jars: Map<string, string>) {
  const cookie = readsJar === undefined ? undefined : jars.get(readsJar);
  const headers = { ...init.headers, ...(cookie !== undefined && { cookie }) };
  const target = new URL(url);
  target.port = String(port);
  const response = await fetch(target, { ...init, headers });
  const cookies = response.headers.getSetCookie().map((set) => set.split(';')[0]);
  if (writesJar !== undefined) jars.set(writesJar, cookies.join('; '));
  return response;
}

/** The line that comes first, on whichever connection. */
async function next(connections: readonly Connection[]): Promise<string> {
  const waiting = connections.filter((connection) => !connection.isAtEnd);
  if (waiting.length === 0) return '(nothing more came)';
  const first = await Promise.race(waiting.map(async (one) => ((await one.peek()) === undefined ? undefined : one)));
  return first === undefined ? next(connections) : first.take();
}

/** An answer, read line by line. A heartbeat that comes later than the first is not shown in documents. */
class Connection {
  readonly #chunks: AsyncIterator<Uint8Array> | undefined;
  readonly #lines: string[] = [];
  #rest = '';
  #reading: Promise<string | undefined> | undefined;
  isAtEnd = false;

  constructor(response: Response) {
    this.#chunks = (response.body as unknown as AsyncIterable<Uint8Array> | null)?.[Symbol.asyncIterator]();
  }

  /** Undefined at the end. Asked again before it has come, it is the same. */
  peek(): Promise<string | undefined> {
    this.#reading ??= this.#read();
    return this.#reading;
  }

  take(): string {
    this.#reading = undefined;
    return this.#lines.shift() ?? '';
  }

  async rest(): Promise<readonly string[]> {
    const lines: string[] = [];
    while ((await this.peek()) !== undefined) lines.push(this.take());
    return lines.filter((line) => line !== '');
  }

  close(): Promise<unknown> | undefined {
    return this.#chunks?.return?.();
  }

  async #read(): Promise<string | undefined> {
    while (this.#lines.length === 0) {
      const { value, done } = (await this.#chunks?.next()) ?? { done: true };
      if (done === true) {
        this.isAtEnd = this.#rest === '';
        if (this.isAtEnd) return undefined;
      }
      const parts = (this.#rest + (value === undefined ? '\n' : Buffer.from(value).toString())).split('\n');
      this.#rest = parts.pop() ?? '';
      this.#lines.push(...parts);
    }
    return this.#lines[0];
  }
}

class RunningProgram {
  readonly #child: ChildProcess;
  readonly #ports = new Map<number, number>();
  #output = '';
  #wake: () => void = () => undefined;

  constructor(file: string, cwd: string, nodeArgs: readonly string[]) {
    const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
    this.#child = spawn(process.execPath, [...nodeArgs, '--import', freePort, file], { cwd, stdio: [...stdio] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#child.on('message', (message) => {
      const { asked, port } = message as { asked: number; port: number };
      this.#ports.set(asked, port);
      this.#wake();
    });
    this.#child.once('exit', () => this.#wake());
  }

  /** Where it listens that the document says to listen on `asked`. */
  async port(asked: number): Promise<number> {
    for (;;) {
      const port = this.#ports.get(asked);
      if (port !== undefined) return port;
      if (this.#child.exitCode !== null) throw new Error(`It ended without listening on ${asked}:\n${this.#output}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** All that it printed, once it has ended by itself. */
  async ended(): Promise<string> {
    await once(this.#child, 'close');
    return this.#output.trimEnd();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
