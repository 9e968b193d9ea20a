import { appendTests } from './append-tests.ts';
import { conditionalAppendTests } from './conditional-append-tests.ts';
import type { EventLogHarness, TestRunner } from './harness.ts';
import { lifecycleTests } from './lifecycle-tests.ts';
import { pinTests } from './pin-tests.ts';
import { readTests } from './read-tests.ts';
import { Subject } from './subject.ts';
import type { Law } from './subject.ts';
import { tailTests } from './tail-tests.ts';
import { trimTests } from './trim-tests.ts';

/**
 * The contract suite of `EventLog`: what a broker relies on. A log that passes it can be given to one.
 *
 * The log must be dense: the suite expects 1, 2, 3 … on new storage. What a log declares that it cannot do is tested
 * for its refusal; what the harness cannot do (`kill`, `recreate`, `isShared`) is left out. A log without `trim` needs
 * the harness's `trimTo`.
 *
 * ```ts
 * import { describe, it } from 'node:test';
 * const harness = { prepare: newFolder, open: FileEventLog.open, dispose: removeFolder };
 * describeEventLog('FileEventLog', harness, { describe, it });
 * ```
 */
export function describeEventLog<Storage>(name: string, harness: EventLogHarness<Storage>, runner: TestRunner): void {
  const law: Law<Storage> = (rule, test) => void runner.it(rule, () => Subject.run(harness, test));
  runner.describe(`${name} keeps the contract of EventLog`, () => {
    appendTests(law);
    conditionalAppendTests(law);
    readTests(law);
    tailTests(law);
    trimTests(law);
    pinTests(law, harness);
    lifecycleTests(law, harness);
  });
}
