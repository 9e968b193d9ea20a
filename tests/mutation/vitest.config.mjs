// The tests that mutants are tried with: run.mjs names them. Each file has a process of its own, so that what a mutant
// broke stays there.
import { defineConfig, mergeConfig, defaultExclude } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

import config from '../../vitest.config.mjs';
import { slowTests } from '../tooling/suites.mjs';

const { tests, nearest } = JSON.parse(process.env.MUTATION_PLAN);

/** Those beside the mutated code come first: they kill most, at the least cost. Properties cost most, and come last. */
class NearestFirst extends BaseSequencer {
  sort(files) {
    const distance = ({ moduleId }) => (moduleId.includes(nearest) ? 0 : moduleId.includes('/properties/') ? 2 : 1);
    return files.toSorted((a, b) => distance(a) - distance(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

const merged = mergeConfig(
  config,
  defineConfig({
    test: {
      exclude: [...slowTests.filter((file) => !file.startsWith('tests/properties/')), ...defaultExclude],
      runner: './tests/mutation/mutant-runner.mjs',
      pool: 'forks',
      isolate: true,
      sequence: { sequencer: NearestFirst, shuffle: false },
      testTimeout: 4000,
      hookTimeout: 30_000,
      reporters: ['./tests/tooling/failure-reporter.mjs'],
    },
  }),
);
// `mergeConfig` adds to a list; these are replaced.
merged.test.include = tests;
merged.test.reporters = ['./tests/tooling/failure-reporter.mjs'];
export default merged;
