import { readFile, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

import { BrokerError } from '../../model/errors.ts';

/**
 * Who writes to a folder. `startedAt` tells a process from a later one with its id; undefined where the system does not
 * say.
 */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly startedAt?: string | undefined;
}

/**
 * A file that names the process which writes to a folder, so that a second one is refused with a clear error.
 *
 * A holder that was killed leaves its file behind; it is recognised by its process being gone. Processes of another
 * host (another container on the same volume) cannot be told alive or dead: their file is taken over. The lock is
 * therefore a courtesy; what protects the records is the store's fence, which makes the writer that was taken over
 * fail.
 */
export class WriterLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws BrokerError `log_unavailable` while another live process, or this one, holds it */
  static async take(path: string): Promise<WriterLock> {
    const own = JSON.stringify({ pid: process.pid, host: hostname(), startedAt: await startOf(process.pid) });
    while (!(await createFile(path, own))) await removeIfAbandoned(path);
    return new WriterLock(path);
  }

  async release(): Promise<void> {
    await unlink(this.#path).catch(ignoreMissing);
  }
}

async function createFile(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new BrokerError('log_unavailable', `The folder of the event log cannot be written to.`, { cause: error });
  }
}

async function removeIfAbandoned(path: string): Promise<void> {
  const holder = parseHolder(await readFile(path, 'utf8').catch(ignoreMissing));
  if (holder !== undefined && (await isAlive(holder))) {
    throw new BrokerError('log_unavailable', `The event log is open for writing in process ${holder.pid} already.`);
  }
  await unlink(path).catch(ignoreMissing);
}

/** `undefined` for a file that a process was killed over while writing it. */
function parseHolder(text: string | undefined): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(text ?? '');
    return isHolder(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function isHolder(value: unknown): value is Holder {
  return (
    typeof value === 'object' && value !== null && 'pid' in value && 'host' in value && Number.isInteger(value.pid)
  );
}

async function isAlive({ pid, host, startedAt }: Holder): Promise<boolean> {
  return host === hostname() && isRunning(pid) && startedAt === (await startOf(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** When a process began, in ticks since the machine did; only Linux says. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in brackets and may hold blanks; the start is the 22nd field.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
