import { closingLine } from './closing-line.mjs';

/**
 * Vitest reporter, to be listed last: a line for each failure (`failed: …`), so that a record that keeps only a part of a run still names them, and the closing
 * line. A file that cannot be loaded and an unhandled error each count as one failure.
 */
export default class ClosingLineReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const fail = (what, errors = []) => {
      counts.failed += 1;
      console.log(`failed: ${what}: ${errors.map(firstLine).join('; ') || 'never ran to its end'}`);
    };
    for (const error of unhandledErrors) fail('unhandled error', [error]);
    for (const module of modules) {
      for (const error of module.errors()) fail(module.relativeModuleId, [error]);
      // Where a hook failed, its tests are 'pending' or 'skipped' and only the suite has the reason.
      for (const suite of module.children.allSuites())
        for (const error of suite.errors()) fail(`${module.relativeModuleId} > ${suite.fullName}`, [error]);
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'passed' || state === 'skipped') counts[state] += 1;
        else fail(`${module.relativeModuleId} > ${test.fullName}`, errors);
      }
    }
    console.log(closingLine(counts));
  }
}

function firstLine(error) {
  return String(error.message ?? error)
    .split('\n', 1)[0]
    .slice(0, 300);
}
