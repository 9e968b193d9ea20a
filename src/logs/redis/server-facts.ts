import { BrokerError } from '../../model/errors.ts';
import type { LogCapabilities } from '../../core/log/event-log.ts';
import { failureOf, notQueued } from './failure.ts';
import type { LogSettings } from './options.ts';
import type { LiveConnection } from './live-connection.ts';

/** Largest body: while a larger one is copied, the server answers nobody. */
const MAX_RECORD_BYTES = 4 * 1024 * 1024;

/** What the server said of itself. */
export interface RedisServerFacts {
  readonly version: string;
  readonly role: string;
  /** `appendonly`: the server writes what it changes to a file. */
  readonly appendOnly: boolean;
  /** When it syncs that file; `'unknown'` where the user may not CONFIG GET. */
  readonly appendFsync: 'always' | 'everysec' | 'no' | 'unknown';
  readonly maxmemoryPolicy: string;
}

/** The server as a log looks at it: what its host may know, and which run of it this is. */
export interface ServerRun extends RedisServerFacts {
  readonly runId: string;
  /** What it acknowledges is on its disk. */
  readonly syncsEachAppend: boolean;
  /** It may lack the end of what another run had: all but the same server again, with every append on its disk. */
  readonly mayLackEnd: boolean;
}

/** Asks the server. @throws BrokerError when it does not answer or may not be asked */
export async function askServer(connection: LiveConnection, stream: string): Promise<ServerRun> {
  try {
    const [info, config] = await Promise.all([
      connection.send(['INFO']),
      connection.send(['CONFIG', 'GET', '*appendfsync*']).catch(withoutConfig),
    ]);
    const settings = (notQueued(config) as readonly unknown[]).map(String);
    return runOf(String(notQueued(info)), (name) => settings[settings.indexOf(name) + 1]);
  } catch (error) {
    throw failureOf(error, stream);
  }
}

/**
 * Managed servers keep CONFIG for themselves: then the durability is declared as if nothing was synced. Any other
 * failure is one: a server that is still loading must not be taken for one that may have lost something.
 */
function withoutConfig(error: unknown): readonly unknown[] {
  if (error instanceof Error && /NOPERM|unknown command|not allowed/i.test(error.message)) return [];
  throw error;
}

/** @param setting of the server, by its name; anything where it may not be asked */
function runOf(info: string, setting: (name: string) => string | undefined): ServerRun {
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? '';
  // What is said of files is not true yet.
  if (field('loading') === '1') throw new Error('LOADING The server is still reading its data.');
  const appendOnly = field('aof_enabled') === '1';
  const fsync = setting('appendfsync');
  const appendFsync = fsync === 'always' || fsync === 'everysec' || fsync === 'no' ? fsync : 'unknown';
  // With the other one it does not while the file is rewritten, which may take minutes.
  const syncsEachAppend = appendOnly && fsync === 'always' && setting('no-appendfsync-on-rewrite') !== 'yes';
  // A replica that was promoted has a second ID: that of its former primary. A server that starts with its file has
  // none.
  const isPromoted = /[1-9a-f]/.test(field('master_replid2'));
  return {
    version: field('redis_version'),
    role: field('role'),
    appendOnly,
    appendFsync,
    maxmemoryPolicy: field('maxmemory_policy'),
    runId: field('run_id'),
    syncsEachAppend,
    mayLackEnd: isPromoted || !syncsEachAppend,
  };
}

/** @throws BrokerError for a server that a log cannot be kept on, saying what to do */
export function checkServer({ version, role, maxmemoryPolicy }: ServerRun, settings: LogSettings): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 2)) {
    throw new BrokerError('not_supported', `RedisEventLog needs Redis 6.2 or newer; this is ${version}. Update it.`);
  }
  if (role === 'slave') throw failureOf(new Error('READONLY'), settings.stream);
  if (settings.allowEviction || maxmemoryPolicy === '' || maxmemoryPolicy === 'noeviction') return;
  // volatile-… takes keys with an expiry: those of writers, which keep an append from being stored twice.
  const message =
    `The server's maxmemory-policy is "${maxmemoryPolicy}": short of memory it may throw the log away. ` +
    'Set it to "noeviction", or open the log with allowEviction: true.';
  throw new BrokerError('bad_request', message);
}

export function capabilitiesOf(server: ServerRun, { dedupeWindowMs }: LogSettings): LogCapabilities {
  return Object.freeze({
    shared: true,
    durability: durabilityOf(server),
    dedupeWindowMs,
    compareAndAppend: true,
    maxRecordBytes: MAX_RECORD_BYTES,
    dense: true,
  });
}

/** Replicas do not count: the server acknowledges before they have it. */
function durabilityOf({ appendOnly, syncsEachAppend }: ServerRun): LogCapabilities['durability'] {
  if (!appendOnly) return 'none';
  return syncsEachAppend ? 'disk' : 'os';
}
