import { frameChunk } from '../../../src/adapters/chunked.ts';
import { ndjsonFormat } from '../../../src/adapters/ndjson-format.ts';
import { sseFormat } from '../../../src/adapters/sse-format.ts';
import { EventDecoder } from '../../../src/client/event-decoder.ts';
import { lineReader } from '../../../src/client/line-reader.ts';
import { NamelessPosition } from '../../../src/client/nameless-position.ts';
import type { ReadPosition } from '../../../src/client/read-position.ts';
import { readState, StatePosition } from '../../../src/client/state-position.ts';
import { StreamError } from '../../../src/client/stream-error.ts';
import { type Line, parseLine } from '../../../src/client/wire.ts';
import { documentedOfClient, require, requireEqual, type FuzzTarget } from '../target.ts';

const MAX_LINE_BYTES = 4096;

/** The lines up to the first that is refused; the bytes come in parts of `partBytes`. */
function linesOf(input: Uint8Array, partBytes: number): readonly string[] {
  const reader = lineReader(MAX_LINE_BYTES);
  const lines: string[] = [];
  documentedOfClient(
    () => {
      for (let at = 0; at < input.length; at += partBytes)
        for (const line of reader.lines(Uint8Array.from(input.subarray(at, at + partBytes)))) lines.push(line);
    },
    'malformed',
    'line_too_long',
  );
  return lines;
}

/** What the lines say, up to the first that is refused or tells an error, which ends the stream. */
function valuesOf(lines: readonly string[]): readonly Line[] {
  const values: Line[] = [];
  try {
    for (const line of lines) {
      const value = parseLine(line);
      readState(value.wire);
      values.push(value);
    }
  } catch (error) {
    if (!StreamError.is(error)) throw error;
  }
  return values;
}

/** What the server says moves the position to where it can be asked from, whatever it says. */
function follow(values: readonly Line[]): void {
  const nameless = new NamelessPosition({ index: 5, epoch: 'e' }, new URLSearchParams(), () => true);
  nameless.opened(undefined);
  const state = new StatePosition({ index: 5, epoch: 'e' });
  state.opened('e');
  for (const position of [nameless, state]) for (const value of values) take(position, value);
}

function take(position: ReadPosition, value: Line): void {
  position.take(value, () => false);
  const { index } = position.next;
  require(index === 'latest' || (Number.isSafeInteger(index) && index >= 0), `The next request asks from ${index}.`);
}

export const ndjsonLines: FuzzTarget = {
  name: 'ndjson-lines',
  words: [
    ...[
      '{}',
      '{"Index":7}',
      '"Index":',
      '"Events":[',
      '"Events":[]',
      '"Gap":{"From":5,"To":20,"Reason":"trimmed"}',
      '"Current":{"Index":3}',
    ],
    ...[
      '"Error":{"Code":"acl_revoked"}',
      '"Epoch":"e"',
      '"HeartbeatMs":15000',
      '"Mark":"1x8k2f.790"',
      '"Removed":[',
      '"Appended":2',
    ],
    ...[
      '"Topic":"T"',
      '"Type":"t"',
      '"Key":"k"',
      '"Namespace":"n"',
      '"FilterKeys":null',
      '"Payload":{}',
      '\n',
      '"restarted"',
      '"ahead"',
    ],
  ],
  tries: 2000,
  run(input) {
    const lines = linesOf(input, input.length || 1);
    requireEqual(linesOf(input, 7), lines, 'The lines of bytes that come in small parts');
    const values = valuesOf(lines);
    require(values.length <= input.length + 1, 'More is read than was sent.');
    follow(values);
  },
};

export const sseLines: FuzzTarget = {
  name: 'sse-lines',
  words: [
    'id: e:7',
    'data: {}',
    'data: ',
    'event: gap',
    'event: error',
    'event: current',
    'event: __proto__',
    ':\n\n',
    '\r\n',
    'retry: 1000',
    '\n\n',
    ': 812',
  ],
  tries: 2000,
  run(input) {
    const decoder = new EventDecoder(MAX_LINE_BYTES);
    const made: string[] = [];
    for (const line of linesOf(input, 64)) {
      const complete = documentedOfClient(() => ({ line: decoder.take(line) }), 'line_too_long');
      if (complete === undefined) break;
      if (complete.line === undefined) continue;
      require(complete.line.length <= MAX_LINE_BYTES + 100, `A line of ${complete.line.length} letters is made.`);
      made.push(complete.line);
    }
    follow(valuesOf(made));
  },
};

/** Any text as what a batch says: what the server writes of it, in each format and framing, the client reads. */
export const written: FuzzTarget = {
  name: 'written-lines',
  words: ['\n', '\r', '\u2028', 'data:', ':', '"', '\\', '\0'],
  tries: 1000,
  run(input) {
    const text = input.toString();
    const event = {
      Topic: 'T',
      Type: text || 't',
      Key: text,
      Namespace: '',
      FilterKeys: null,
      Index: 7,
      Payload: text,
    };
    const line = `${JSON.stringify({ Index: 7, Events: [event] })}\n`;
    const batch = { index: 7, line };
    const [direct] = valuesOf([line.trimEnd()]);
    requireEqual(direct?.batch?.events.length, 1, 'The number of events of the batch');
    const ndjson = unframed(frameChunk(ndjsonFormat.batch(batch as never)));
    requireEqual(valuesOf(linesWithoutBound(ndjson)), [direct], 'ndjson');
    const sse = unframed(frameChunk(sseFormat('e').batch(batch as never)));
    const decoder = new EventDecoder(1e9);
    const made = linesWithoutBound(sse)
      .map((one) => decoder.take(one))
      .filter((one) => one !== undefined);
    requireEqual(valuesOf(made), [direct], 'Server-sent events');
  },
};

function linesWithoutBound(bytes: Uint8Array): readonly string[] {
  return [...lineReader(1e9).lines(Uint8Array.from(bytes))];
}

/** One HTTP/1.1 chunk, read by the letter of RFC 9112. */
function unframed(chunk: Uint8Array): Uint8Array {
  const bytes = Buffer.from(chunk);
  const end = bytes.indexOf('\r\n');
  const head = bytes.subarray(0, end).toString('latin1');
  require(/^[0-9a-f]+$/.test(head), `The length of a chunk is ${head}.`);
  const length = Number.parseInt(head, 16);
  require(bytes.length === end + 2 + length + 2, 'A chunk is as long as it says.');
  requireEqual(bytes.subarray(-2).toString('latin1'), '\r\n', 'The end of a chunk');
  return bytes.subarray(end + 2, end + 2 + length);
}
