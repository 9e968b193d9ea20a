import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('measure-memory.ts', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));

describe('bufferedBytes', () => {
  // The other process takes some seconds of its own.
  it(
    'is within a factor of two of what the heap grows by, for any payload and whoever has read it',
    { timeout: 300_000 },
    async () => {
      // The collector's own threads free buffers late, and so within the next measurement.
      const args = ['--expose-gc', '--single-threaded-gc', '--import', './tests/tooling/typescript.mjs', script];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
      const ratios = Object.entries(JSON.parse(stdout) as Record<string, number>);
      expect(ratios.length).toBeGreaterThan(30);
      expect(ratios.filter(([, ratio]) => !(ratio > 0.5 && ratio < 2))).toEqual([]);
    },
  );
});
