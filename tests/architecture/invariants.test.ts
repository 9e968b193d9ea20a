import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { invariants } from './invariants.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(root + file, 'utf8');
const squeezed = (text: string) => text.replaceAll(/\s+/g, ' ');

describe('the guarantees', () => {
  it.each(invariants)('$guarantee: its line stands in $file, and its test in $test', ({ file, line, test, name }) => {
    expect(squeezed(read(file))).toContain(squeezed(line));
    expect(name).not.toBe('');
    expect(read(test)).toContain(name);
  });

  it('stand in ARCHITECTURE.md with their file and their test, and no others do', () => {
    const section = /## The guarantees[^\n]*\n([\s\S]*?)\n## /.exec(read('ARCHITECTURE.md'))?.[1] ?? '';
    const rows = section
      .split('\n')
      .filter((row) => row.startsWith('|'))
      .slice(2)
      .map((row) =>
        row
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, -1),
      );
    expect(rows).toEqual(
      invariants.map(({ guarantee, file, test, name }) => [
        guarantee,
        `\`${file.replace('src/', '')}\``,
        `\`${test.replace('tests/', '')}\`: ${name}`,
      ]),
    );
  });
});
