// The unit tests once more as they run in production, where tiny-invariant drops its messages: what needs engines, browsers and other processes was tested without.
import { defineConfig, mergeConfig } from 'vitest/config';

import config from '../../vitest.config.mjs';

export default mergeConfig(
  config,
  defineConfig({
    test: {
      exclude: [
        'tests/{examples,explorer,logs,properties,architecture,readme,faults,adapters}/**',
        'tests/client/chaos*',
        '**/node_modules/**',
      ],
    },
  }),
);
