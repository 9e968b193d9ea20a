import { decodeRecord as decodeBody, encodeRecord as encodeBody } from '../../../src/core/log/batch-record.ts';
import type { LogRecord } from '../../../src/core/log/event-log.ts';
import { deliveryOf } from '../../../src/logs/jetstream/delivery-info.ts';
import * as lmdb from '../../../src/logs/lmdb/record-format.ts';
import { LogReading } from '../../../src/logs/postgres/log-reading.ts';
import { keyFromHex, keyToHex } from '../../../src/logs/postgres/pin-keys.ts';
import { chainAfter, framesOf, groupsOf, partsOf } from '../../../src/logs/redis/record-format.ts';
import { openTopics } from '../../../src/model/topics.ts';
import { require, requireEqual, type FuzzTarget } from '../target.ts';

const words = [
  ...[
    '{"v":1,"events":[',
    ']}\n',
    '"acl":["policy:p"]',
    '["T","t","k","",[],3]',
    '["T","t","k","n",["f"],2]',
    '"x"',
    '{}',
    'null',
    '\n',
  ],
  ...['m', '1700000000000 1 0 0 a1', ' 2 ', 'e\0\0\0\u0003', 'a', 'x'],
];

/** What a broker does with a record, wherever it is from: it reads it, or tells a gap. */
function readByBroker(record: LogRecord): void {
  const decoded = decodeBody(record, openTopics);
  if (decoded === undefined) return;
  const again = decodeBody({ ...record, body: encodeBody(decoded.batch.events, decoded.refs) }, openTopics);
  require(again !== undefined, 'What was read can be read when it is written again.');
  requireEqual(
    again.batch.events.map(({ event }) => event),
    decoded.batch.events.map(({ event }) => event),
    'The events',
  );
  requireEqual(again.refs, decoded.refs, 'What it changes of ACLs');
  const { line } = decoded.batch as unknown as { line?: string };
  require((line?.length ?? 0) <= 12 * record.body.byteLength + 1000, 'Its line is far longer than the record.');
}

export const batchRecord: FuzzTarget = {
  name: 'batch-record',
  words,
  tries: 3000,
  run: (input) => readByBroker({ index: 7, kind: 'events', time: 0, body: input }),
};

/** Values of its tables, as a damaged file or another program may leave them. */
export const lmdbRecord: FuzzTarget = {
  name: 'lmdb-record',
  words,
  tries: 3000,
  run(input) {
    const record = lmdb.decodeRecord(7, input);
    readByBroker(record);
    const again = lmdb.decodeRecord(7, lmdb.encodeRecord(record.kind, record.time, record.body));
    requireEqual(
      [again.kind, Object.is(again.time, record.time), [...again.body]],
      [record.kind, true, [...record.body]],
      'The record',
    );
    const entry = lmdb.decodeIdEntry(input);
    if (entry) requireEqual(lmdb.decodeIdEntry(lmdb.encodeIdEntry(entry)), entry, 'The entry of an id');
    const age = lmdb.decodeIdAge(input);
    requireEqual(lmdb.decodeIdAge(lmdb.encodeIdAge(age)), age, 'The age of an id');
  },
};

/** Entries of a stream, as the client gives them: fields cut at blank lines, a group a part. */
export const redisEntries: FuzzTarget = {
  name: 'redis-entries',
  words: [...words, '-0', '7-0', '8-0', '7-1', '\n\n', 'm\n'],
  tries: 3000,
  run(input) {
    const entries = partsAt(input, Buffer.from('\n\n\n')).map((part) => {
      const [id = Buffer.alloc(0), ...fields] = partsAt(part, Buffer.from('\n'));
      // The last field is whatever bytes follow.
      const few = fields.length > 4 ? [...fields.slice(0, 3), part.subarray(partEnd(part, 4))] : fields;
      return [id, few.length === 0 ? null : few];
    });
    const groups = groupsOf(entries);
    for (const { records, first, last } of groups) {
      requireEqual(records.length, last - first + 1, 'The records of a group');
      require(first >= 1 && Number.isSafeInteger(last), `A group holds the records ${first} to ${last}.`);
    }
    for (const position of [0, 6, 7]) {
      const chain = chainAfter(position, undefined, groups);
      chain.records.forEach(({ index }, i) => requireEqual(index, position + 1 + i, 'An index of the chain'));
      requireEqual(chain.last, position + chain.records.length, 'The last of the chain');
      requireEqual([...partsOf(chain.records, 10)].flat().length, chain.records.length, 'What its parts hold');
      for (const record of chain.records) readByBroker(record);
    }
    framesComeBack(input);
  },
};

function partsAt(bytes: Buffer, separator: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(separator); at >= 0; at = bytes.indexOf(separator, from)) {
    parts.push(bytes.subarray(from, at));
    from = at + separator.length;
  }
  return [...parts, bytes.subarray(from)];
}

function partEnd(bytes: Buffer, count: number): number {
  let at = 0;
  for (let i = 0; i < count; i++) at = bytes.indexOf('\n', at) + 1;
  return at;
}

function framesComeBack(body: Buffer): void {
  const requests = [
    { kind: 'events', body },
    { kind: 'acl', body: body.subarray(1) },
  ] as const;
  const id = Buffer.from('9-0');
  const fields = [Buffer.from('m'), Buffer.from('5 2 0 a b'), Buffer.from('f'), framesOf(requests as never)];
  const [group] = groupsOf([[id, fields]]);
  requireEqual(
    group?.records.map(({ index, kind, body: own }) => [index, kind, [...own]]),
    requests.map(({ kind, body: own }, i) => [8 + i, kind, [...own]]),
    'The frames',
  );
}

/** The subject with which the server says what a message is. */
export const jetstreamReply: FuzzTarget = {
  name: 'jetstream-reply',
  words: ['$JS', '.ACK.', '.', '1700000000000000000', '_', '7', 'hub', 'account'],
  tries: 3000,
  run(input) {
    const info = deliveryOf(input.toString());
    // What is no number is told by NaN, which is neither the next delivery nor a later index.
    for (const value of Object.values(info)) require(typeof value === 'number', 'It says numbers.');
  },
};

/** Rows that somebody deleted or changed by hand: one letter a row, `-` for one that is missing. */
export const postgresRows: FuzzTarget = {
  name: 'postgres-rows',
  words: ['-', '--', 'e', 'a', '?'],
  tries: 1000,
  async run(input) {
    const kinds = input.toString('latin1').slice(0, 200).split('');
    const state = { epoch: 'e', first: 1, head: kinds.length };
    const found = kinds.flatMap((kind, i) =>
      kind === '-'
        ? []
        : [{ ...state, index: i + 1, kind: kind === 'a' ? 1 : kind.charCodeAt(0), time: 0, body: input }],
    );
    const rows = found.length > 0 ? found : [{ ...state, index: null }];
    const reading = new LogReading({ schema: 's', name: 'n' } as never);
    const { records } = await reading.slice((() => Promise.resolve({ rows })) as never, 1, kinds.length, 1e6);
    const last = found.at(-1)?.index ?? kinds.length;
    requireEqual(
      records.map(({ index }) => index),
      Array.from({ length: last }, (_, i) => i + 1),
      'The indexes',
    );
    for (const record of records.slice(0, 3)) readByBroker(record);
    const key = input.toString('utf16le');
    requireEqual(keyFromHex(keyToHex(key)), key, 'A key');
    keyFromHex(input.toString('latin1'));
  },
};
