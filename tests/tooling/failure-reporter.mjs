import { closingLine } from './closing-line.mjs';

const maxLines = 80;

/**
 * Vitest reporter, to be listed last. Each failure is printed at once, with its error (`FAILED …`, its lines behind a
 * bar), since a run may be cut off. At the end comes a line for each (`failed: …`), for a record that keeps only the
 * end, and the closing line. A file that cannot be loaded and an unhandled error each count as one failure.
 */
export default class FailureReporter {
  onTestCaseResult(test) {
    const { state, errors } = test.result();
    if (state === 'failed') printNow(nameOf(test), errors);
  }

  onTestSuiteResult(suite) {
    if (suite.errors().length > 0) printNow(nameOf(suite), suite.errors());
  }

  onTestModuleEnd(module) {
    if (module.errors().length > 0) printNow(module.relativeModuleId, module.errors());
  }

  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const fail = (what, errors = []) => {
      counts.failed += 1;
      console.log(`failed: ${what}: ${errors.map(firstLine).join('; ') || 'never ran to its end'}`);
    };
    for (const error of unhandledErrors) {
      printNow('unhandled error', [error]);
      fail('unhandled error', [error]);
    }
    for (const module of modules) {
      for (const error of module.errors()) fail(module.relativeModuleId, [error]);
      // Where a hook failed, its tests are 'pending' or 'skipped' and only the suite has the reason.
      for (const suite of module.children.allSuites()) for (const error of suite.errors()) fail(nameOf(suite), [error]);
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'passed' || state === 'skipped') counts[state] += 1;
        else fail(nameOf(test), errors);
      }
    }
    console.log(closingLine(counts));
  }
}

function nameOf(task) {
  return `${task.module.relativeModuleId} > ${task.fullName}`;
}

function printNow(what, errors) {
  const lines = errors.flatMap((error) => describe(error).split('\n')).slice(0, maxLines);
  console.log([`FAILED ${what}`, ...lines.map((line) => `  | ${line}`)].join('\n'));
}

/** The message, vitest's difference of expected and received, the lines of the stack that are ours, and the cause. */
function describe(error) {
  const stack = String(error.stack ?? '').match(/^ +at (?!.*node_modules|.*\(?node:|new Promise).*$/gm) ?? [];
  const parts = [`${error.name ?? 'Error'}: ${error.message ?? String(error)}`, error.diff, ...stack];
  if (error.cause) parts.push(`caused by ${describe(error.cause)}`);
  return parts.filter(Boolean).join('\n');
}

function firstLine(error) {
  return String(error.message ?? error)
    .split('\n', 1)[0]
    .slice(0, 300);
}
