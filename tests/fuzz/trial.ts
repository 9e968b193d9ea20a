import { corpusOf } from './corpus.ts';
import { mutated } from './mutate.ts';
import { Random } from './random.ts';
import type { FuzzTarget } from './target.ts';

/** Longer than this for one input is a failure: it is far from what any of them takes, on a busy machine too. */
const MAX_MS = 10_000;

/** What came of one input. */
export interface Trial {
  readonly ms: number;
  /** Undefined where it was treated as documented. */
  readonly failure: unknown;
}

/** Equal for equal seeds, targets, numbers and corpora. */
export function generated(target: FuzzTarget, seed: number, count: number, from = 0): Generator<Buffer> {
  const corpus = corpusOf(target.name).map(({ input }) => input);
  return (function* () {
    for (let n = from; n < from + count; n++)
      yield mutated(corpus, target.words, new Random(seedOf(target.name, seed, n)));
  })();
}

function seedOf(name: string, seed: number, n: number): number {
  let mixed = seed;
  for (const letter of `${name} ${n}`) mixed = (Math.imul(mixed, 31) + letter.charCodeAt(0)) | 0;
  return mixed;
}

export async function tryInput(target: FuzzTarget, input: Buffer): Promise<Trial> {
  const started = performance.now();
  let failure: unknown;
  try {
    await inTime(target.run(input));
  } catch (error) {
    failure = error;
  }
  const ms = performance.now() - started;
  if (failure === undefined && ms > MAX_MS) failure = new Error(`It took ${Math.round(ms)} ms.`);
  return { ms, failure };
}

function inTime(running: void | Promise<void>): void | Promise<void> {
  if (running === undefined) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It did not end within ${MAX_MS} ms.`)), MAX_MS);
  });
  return Promise.race([running, late]).finally(() => clearTimeout(timer));
}

/** The smallest part of the input that still fails in the same way: halves, quarters … of it are left out in turn. */
export async function reduced(target: FuzzTarget, input: Buffer, failure: unknown): Promise<Buffer> {
  let smallest = input;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.length;) {
      const less = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      const { failure: other } = await tryInput(target, less);
      if (other !== undefined && kindOf(other) === kindOf(failure)) smallest = less;
      else at += size;
    }
  }
  return smallest;
}

/** Failures with one cause: their messages differ in what was given. */
export function kindOf(failure: unknown): string {
  const { name, message } = failure instanceof Error ? failure : new Error(String(failure));
  return `${name}: ${message.replaceAll(/"[^"]*"|\d+/g, '…').slice(0, 60)}`;
}
