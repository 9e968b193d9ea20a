// The tests that need no engines, browsers or other processes: for the inner loop, for the other versions of Node, and
// once more as they run in production, where tiny-invariant drops its messages.
import { defineConfig, mergeConfig } from 'vitest/config';

import config from '../../vitest.config.mjs';
import { slowTests } from './suites.mjs';

export default mergeConfig(config, defineConfig({ test: { exclude: [...slowTests, '**/node_modules/**'] } }));
