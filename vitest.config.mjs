import { defineConfig } from 'vitest/config';

import { sourceBySpecifier } from './tests/tooling/entries.mjs';

const exactly = (specifier) => new RegExp(`^${specifier}$`);

/** What of the explorer's page needs a document: tests drive it in Chromium, where coverage does not look. */
const inBrowser = [
  ...['announcer', 'clipboard', 'details-panel', 'element', 'event-table', 'explorer', 'filter-form', 'main'],
  ...['operator-view', 'page-history', 'rate-chart', 'report', 'row', 'rows', 'state-table', 'status-line'],
  ...['topic-list', 'yield-to-page'],
];

/** What needs several tabs: likewise. */
const amongTabs = ['browser', 'leader', 'shared-by-tabs', 'tab-group', 'tab-message', 'tab-stream'];

export default defineConfig({
  resolve: {
    // Tests and examples import the package by name and get the sources; the packed tarball has checks of its own.
    alias: [...sourceBySpecifier].map(([specifier, source]) => ({ find: exactly(specifier), replacement: source })),
  },
  test: {
    include: ['tests/**/*.test.ts'],
    pool: 'threads',
    isolate: false,
    // Many tests wait for servers and files: two threads, whatever the processors.
    maxWorkers: 2,
    sequence: { shuffle: { files: true, tests: true } },
    // What takes longer hangs. The longest test takes 20 s on a free machine; a busy one is many times slower.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ['default', './tests/tooling/failure-reporter.mjs'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: [`src/explorer/page/{${inBrowser.join()}}.ts`, `src/client/tabs/{${amongTabs.join()}}.ts`, '**/*.d.ts'],
      // tests/tooling/check-coverage.mjs is the gate.
      reporter: ['text-summary', 'json', 'html'],
    },
  },
});
