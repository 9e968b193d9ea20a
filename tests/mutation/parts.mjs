// What is mutated, the most important first, and the tests that reach it. Of these each mutant runs against those that
// execute its line.

const properties = ['stream', 'state', 'scope', 'appended'].map((name) => `tests/properties/${name}.test.ts`);
const core = ['tests/core/**/*.test.ts', 'tests/conformance/*.test.ts', 'tests/logs/memory*.test.ts', ...properties];

/** @type {readonly { name: string, tests: readonly string[] }[]} */
export const parts = [
  { name: 'core/backlog', tests: core },
  { name: 'core/matching', tests: core },
  {
    name: 'acl',
    tests: ['tests/acl/*.test.ts', 'tests/conformance/*.test.ts', 'tests/nomad/rights.test.ts', ...properties],
  },
  { name: 'core/delivery', tests: core },
  { name: 'core/broker', tests: core },
  { name: 'core/log', tests: [...core, 'tests/testing/*.test.ts'] },
  { name: 'core/batch', tests: core },
];
