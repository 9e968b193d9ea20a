import { BrokerError } from '../../model/errors.ts';
import type { BrokerErrorCode } from '../../model/errors.ts';
import { ConnectionBroken } from '../connection-state.ts';

interface Reason {
  readonly code: BrokerErrorCode;
  /** What is wrong with the stream of this name, and what to do. */
  readonly says: (stream: string) => string;
}

/** What a server refuses with, by words of its answer: an error within a script stands in the middle of it. */
const reasons: readonly (readonly [RegExp, Reason])[] = [
  [
    /FENCELINE foreign/,
    {
      code: 'bad_request',
      says: (stream) =>
        `The key "${stream}" holds something that is no event log, or has lost its key "{${stream}}:head". ` +
        'Give the log another name, or delete what is there.',
    },
  ],
  [
    /FENCELINE layout/,
    {
      code: 'bad_request',
      says: (stream) =>
        `The log "${stream}" has the layout of another version of fenceline. ` +
        'Run the same version in all processes, or give the log another name.',
    },
  ],
  [
    /WRONGTYPE/,
    {
      code: 'bad_request',
      says: (stream) =>
        `The key "${stream}", or one that belongs to it, holds something else than an event log. ` +
        'Give the log another name, or delete the key.',
    },
  ],
  [
    /NOPERM|executing the script can't|NOAUTH|WRONGPASS/,
    {
      code: 'bad_request',
      says: (stream) =>
        `The Redis user lacks rights for the log "${stream}". ` +
        `It needs the keys "${stream}" and "{${stream}}:*", and +@read +@write +@scripting +info.`,
    },
  ],
  [
    /^QUEUED/,
    {
      code: 'log_unavailable',
      says: (stream) =>
        `The client of the log "${stream}" is within a MULTI: what it is asked is done with that, or never. ` +
        'Give the log a client of its own.',
    },
  ],
  [
    /\b(MOVED|CLUSTERDOWN|CROSSSLOT)\b/,
    {
      code: 'log_unavailable',
      says: (stream) =>
        `The server is one of a cluster, in which the log "${stream}" belongs to another server. ` +
        'Connect to that one.',
    },
  ],
  [
    /READONLY/,
    {
      code: 'log_unavailable',
      says: (stream) => `The server of the log "${stream}" is a read-only replica. Connect to the primary.`,
    },
  ],
  [
    /\bOOM\b/,
    {
      code: 'log_unavailable',
      says: (stream) =>
        `The server of the log "${stream}" has reached its maxmemory; nothing was stored. ` +
        'Give it more, or the log a retention.',
    },
  ],
  [
    /FENCELINE late/,
    {
      code: 'log_unavailable',
      says: (stream) => `An append to the log "${stream}" came after its time; it is not known whether it was stored.`,
    },
  ],
];

/**
 * What goes wrong with the log `stream`, in words that say what to do. The cause is a text: no key, no body, no secret.
 */
export function failureOf(thrown: unknown, stream: string): BrokerError {
  if (BrokerError.is(thrown)) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const cause = thrown instanceof ConnectionBroken ? thrown : new Error(text);
  const reason = reasons.find(([words]) => words.test(text))?.[1];
  if (reason) return new BrokerError(reason.code, reason.says(stream), { cause });
  return new BrokerError('log_unavailable', `The server of the log "${stream}" does not answer as it should.`, {
    cause,
  });
}

const QUEUED = Buffer.from('QUEUED');

/** An answer. @throws Error where there is none, since the host has begun a MULTI on its connection */
export function notQueued(answer: unknown): unknown {
  const isQueued = typeof answer === 'string' ? answer === 'QUEUED' : Buffer.isBuffer(answer) && answer.equals(QUEUED);
  if (isQueued) throw new Error('QUEUED The connection is within a MULTI.');
  return answer;
}

/**
 * Whether the server refused, so that nothing was done, rather than that no answer came: its words begin in capitals.
 */
export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof Error && /^[A-Z]{2,} /.test(thrown.message);
}
