import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('corpus', import.meta.url));

/** An input that is kept: a typical one, or one that something was found with. */
export interface Kept {
  readonly file: string;
  readonly input: Buffer;
}

/** In the order of their names, so that equal seeds make equal inputs. */
export function corpusOf(target: string): readonly Kept[] {
  const names = readdirSync(join(folder, target)).toSorted();
  return names.map((file) => ({ file, input: readFileSync(join(folder, target, file)) }));
}

/** @returns where it stands from now on */
export function keep(target: string, input: Buffer): string {
  const name = `found-${createHash('sha256').update(input).digest('hex').slice(0, 8)}`;
  mkdirSync(join(folder, target), { recursive: true });
  writeFileSync(join(folder, target, name), input);
  return `tests/fuzz/corpus/${target}/${name}`;
}
