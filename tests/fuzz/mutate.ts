import type { Random } from './random.ts';

/** No input is longer: what takes more than its size allows shows at this size as well. */
export const MAX_INPUT_BYTES = 16 * 1024;

/** What breaks parsers of text and of records, whatever their language. */
const nasty: readonly string[] = [
  ...[
    '',
    '\0',
    '\r',
    '\n',
    '\r\n',
    '\n\n',
    ' ',
    '\t',
    '\ufeff',
    '\ufffd',
    '\u2028',
    '\ud800',
    '𝄞',
    'ü',
    '*',
    ':',
    '::',
  ],
  ...[
    '%',
    '%00',
    '%zz',
    '%ff',
    '%F0%9F',
    '&',
    '=',
    '+',
    '#',
    '?',
    ',',
    '\\',
    '\\,',
    '"',
    '{',
    '}',
    '[',
    ']',
    '${',
    '"""',
  ],
  ...['0', '-1', '1e999', '9007199254740991', '9007199254740992', '18446744073709551616', '0x10', '1.5', 'NaN', '00'],
  ...[
    'null',
    'true',
    '{}',
    '[]',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '/*',
    '*/',
    '//',
    '<<EOF\n',
  ],
];

const bytesOf = (text: string): Buffer => Buffer.from(text);

type Change = (input: Buffer, random: Random, words: readonly string[], corpus: readonly Buffer[]) => Buffer;

const replaced = (input: Buffer, from: number, to: number, put: Uint8Array): Buffer =>
  Buffer.concat([input.subarray(0, from), put, input.subarray(to)]);

/** A part of the input: most are short. */
function partOf(input: Buffer, random: Random): readonly [from: number, to: number] {
  const from = random.below(input.length + 1);
  const most = random.chance(0.8) ? 8 : input.length;
  return [from, Math.min(input.length, from + random.below(most + 1))];
}

const changes: readonly Change[] = [
  (input, random) => {
    const [from, to] = partOf(input, random);
    return replaced(input, from, to, new Uint8Array(0));
  },
  (input, random) => {
    const [at] = partOf(input, random);
    return replaced(input, at, at, Uint8Array.of(random.below(256)));
  },
  (input, random) => {
    const changed = Buffer.from(input);
    const at = random.below(input.length);
    if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
    return changed;
  },
  (input, random, words) => {
    const [from, to] = partOf(input, random);
    return replaced(input, from, random.chance(0.5) ? to : from, bytesOf(random.pick(words)));
  },
  (input, random) => {
    const [from, to] = partOf(input, random);
    return replaced(input, to, to, input.subarray(from, to));
  },
  (input, random, words) => {
    const [from, to] = partOf(input, random);
    const part = random.chance(0.5) ? input.subarray(from, to) : bytesOf(random.pick(words));
    return replaced(input, to, to, Buffer.concat(Array.from({ length: 2 ** random.below(10) }, () => part)));
  },
  (input, random, _words, corpus) => {
    const other = random.pick(corpus);
    return Buffer.concat([
      input.subarray(0, random.below(input.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ]);
  },
  swappedTokens,
];

/** Two words of the text change places, or one stands twice: what is well-formed apart from its sense. */
function swappedTokens(input: Buffer, random: Random): Buffer {
  const tokens = input.toString('latin1').split(/(?<=\W)|(?=\W)/);
  const [a, b] = [random.below(tokens.length), random.below(tokens.length)];
  const [one, other] = [tokens[a] ?? '', tokens[b] ?? ''];
  tokens[a] = other;
  if (random.chance(0.5)) tokens[b] = one;
  return Buffer.from(tokens.join(''), 'latin1');
}

/** One to six changes of an input of the corpus; now and then nothing of it is left. */
export function mutated(corpus: readonly Buffer[], words: readonly string[], random: Random): Buffer {
  const all = random.chance(0.5) ? words : nasty;
  const dictionary = all.length > 0 ? all : nasty;
  let input: Buffer = random.chance(0.02) ? bytesOf(random.pick(nasty)) : random.pick(corpus);
  for (let left = 1 + random.below(6); left > 0; left--)
    input = random.pick(changes)(input, random, dictionary, corpus).subarray(0, MAX_INPUT_BYTES);
  return Buffer.from(input);
}
