import type { FuzzTarget } from '../target.ts';
import { namespaceFilter, topicFilter } from './filters.ts';
import { lastEventId, stateMark } from './ids.ts';
import { ndjsonLines, sseLines, written } from './lines.ts';
import { pipelined } from './pipelined.ts';
import { batchRecord, jetstreamReply, lmdbRecord, postgresRows, redisEntries } from './records.ts';
import { request } from './request.ts';
import { hclLines, rulesHcl, rulesJson } from './rules.ts';

/** All that takes input from outside. */
export const targets: readonly FuzzTarget[] = [
  request,
  pipelined,
  topicFilter,
  namespaceFilter,
  lastEventId,
  stateMark,
  rulesJson,
  rulesHcl,
  hclLines,
  ndjsonLines,
  sseLines,
  written,
  batchRecord,
  lmdbRecord,
  redisEntries,
  jetstreamReply,
  postgresRows,
];
