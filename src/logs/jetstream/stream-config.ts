import type { StreamConfig } from '@nats-io/jetstream';

import { BrokerError } from '../../model/errors.ts';
import type { LogCapabilities } from '../../core/log/event-log.ts';
import type { LogSettings } from './options.ts';

/** Room for a record's headers: its id, the expected stream and the expected sequence, at their longest. */
const HEADER_BYTES = 3 * 1024;
/** For how long ids are recognised when nothing else is said: the server's own default. */
const DEDUPE_WINDOW_MS = 120_000;

const nanos = (ms: number): number => Math.round(ms * 1e6);

/** Subject of the records that tell of ACL changes. */
export const aclSubject = (subject: string): string => `${subject}.acl`;

/** The stream of a log. Without `deny_delete` and `deny_purge` a hole in the sequence could mean more than trimming. */
export function newStreamConfig({ stream, subject, create }: LogSettings): Partial<StreamConfig> & { name: string } {
  const { retention: { maxRecords = -1, maxBytes = -1, maxAgeMs = 0 } = {}, replicas = 1, storage = 'file' } = create;
  // The server refuses a window that is longer than the records live.
  const dedupeWindowMs = Math.min(create.dedupeWindowMs ?? DEDUPE_WINDOW_MS, maxAgeMs || Infinity);
  return {
    name: stream,
    subjects: [subject, aclSubject(subject)],
    retention: 'limits',
    discard: 'old',
    storage,
    num_replicas: replicas,
    max_msgs: maxRecords,
    max_bytes: maxBytes,
    max_age: nanos(maxAgeMs),
    duplicate_window: nanos(dedupeWindowMs),
    deny_delete: true,
    deny_purge: true,
  };
}

/** @throws BrokerError `bad_request` for a stream that cannot be a log */
export function checkStreamConfig(config: StreamConfig, { appendTimeoutMs }: LogSettings): void {
  const refuse = (why: string) => {
    throw new BrokerError('bad_request', `The stream "${config.name}" cannot be an event log: ${why}.`);
  };
  if (config.retention !== 'limits')
    refuse(`its retention is "${config.retention}"; only "limits" keeps what was read`);
  const windowMs = config.duplicate_window / 1e6;
  // A copy of a record that is sent again must meet the memory of the first one, also when it was on its way for long.
  if (windowMs < 2 * appendTimeoutMs) {
    refuse(
      `it recognises ids for ${windowMs} ms, which must be twice the appendTimeoutMs of ${appendTimeoutMs} at least`,
    );
  }
}

export function capabilitiesOf(config: StreamConfig, { connection }: LogSettings): LogCapabilities {
  const { max_payload: maxPayload = 1024 * 1024 } = connection.info ?? {};
  const maxMessage = config.max_msg_size > 0 ? Math.min(config.max_msg_size, maxPayload) : maxPayload;
  return Object.freeze({
    shared: true,
    durability: durabilityOf(config),
    dedupeWindowMs: config.duplicate_window / 1e6,
    compareAndAppend: true,
    maxRecordBytes: Math.max(0, maxMessage - HEADER_BYTES),
    dense: config.deny_delete && config.deny_purge && !(config.max_msgs_per_subject > 0),
  });
}

/**
 * One server writes to the file but syncs it every two minutes by default: that outlives the process and no power loss.
 */
function durabilityOf({ num_replicas: replicas, storage }: StreamConfig): LogCapabilities['durability'] {
  if (replicas >= 3) return 'quorum';
  return storage === 'file' ? 'os' : 'none';
}
