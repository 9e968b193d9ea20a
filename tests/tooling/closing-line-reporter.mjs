import { closingLine } from './closing-line.mjs';

/** Vitest reporter, to be listed last. A file that cannot be loaded and an unhandled error each count as one failure. */
export default class ClosingLineReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) counts[outcome(test.result().state)] += 1;
    }
    console.log(closingLine(counts));
  }
}

/** A test that never ran to its end ('pending': a failed hook, an interrupted run) has not passed. */
function outcome(state) {
  return state === 'pending' ? 'failed' : state;
}
