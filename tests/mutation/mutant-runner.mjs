// Runs each test once as it is, and sees which mutants it executes; then again, once with each of those, as retries of
// vitest: hooks and fixtures run anew each time, and no module is loaded again. A mutant with which the test fails, or
// takes too long, is killed.
import { TestRunner } from 'vitest';

import { MutantFiles } from './mutant-files.mjs';

/**
 * So long, by what its tests take as they are, a mutant is tried in one file: beside the mutated code, and elsewhere.
 */
const MAX_MS_NEAR = 20_000;
const MAX_MS_FAR = 1000;
/** In all files: who has lived so long through is not killed by one more. */
const MAX_TRIES = 1500;
/** A slower test is not run again and again. */
const MAX_TEST_MS = 1500;
/** A mutant that is executed so much oftener than the code it stands for is in an endless loop: it is stopped. */
const hitLimitFor = (hits) => hits * 100 + 10_000;

const files = new MutantFiles(process.env.MUTATION_FOLDER);
const space = (globalThis.__stryker__ ??= {});
const { nearest } = JSON.parse(process.env.MUTATION_PLAN);
/** What each mutant has taken in this file. */
const msOf = new Map();

export default class MutantRunner extends TestRunner {
  /** Of the test that runs: mutants to be tried, by how often it executes them. */
  #left = [];
  #state = 'plain';
  #mutant;
  #how = '';
  #startedAt = 0;
  #plainMs = 0;
  #maxMs = 0;

  onBeforeRunTask(test) {
    if (files.isDone(test.file.filepath)) test.mode = 'skip';
    // The first repetition is the plain run. How many retries the second has is asked when it begins.
    test.repeats = 1;
    Object.defineProperty(test, 'retry', { get: () => (this.#state === 'plain' ? 0 : 1_000_000), configurable: true });
    this.#state = 'plain';
    return super.onBeforeRunTask(test);
  }

  /** Where a process hung and was ended, the others need not be run again. */
  onAfterRunFiles(done) {
    for (const { filepath } of done) files.done(filepath);
    return super.onAfterRunFiles(done);
  }

  onBeforeTryTask(test, { repeats }) {
    space.activeMutant = undefined;
    space.currentTestId = 'none';
    if (repeats === 0) this.#beginPlain(test);
    else if (this.#state === 'trying') this.#tryNext();
    this.#startedAt = performance.now();
    return super.onBeforeTryTask(test);
  }

  onAfterRetryTask(test, { repeats }) {
    const ms = performance.now() - this.#startedAt;
    const hasFailed = test.result.state === 'fail';
    if (repeats === 0) return this.#endPlain(test, hasFailed, ms);
    if (this.#state === 'checking') this.#endCheck(hasFailed);
    else if (this.#state === 'trying') this.#endTry(test, hasFailed);
    space.activeMutant = undefined;
    files.idle();
    this.#goOn(test, this.#state === 'checking' || this.#hasNext());
  }

  #beginPlain(test) {
    space.currentTestId = test.id;
  }

  #endPlain(test, hasFailed, ms) {
    const hits = space.mutantCoverage?.perTest[test.id] ?? {};
    delete space.mutantCoverage?.perTest[test.id];
    for (const id of Object.keys(hits)) files.reached(id);
    this.#plainMs = ms;
    this.#maxMs = test.file.filepath.includes(nearest) ? MAX_MS_NEAR : MAX_MS_FAR;
    const isOfUse = !hasFailed && ms <= MAX_TEST_MS;
    this.#left = isOfUse ? Object.entries(hits).map(([id, count]) => ({ id, hits: count })) : [];
    this.#state = this.#hasNext() ? 'trying' : 'done';
  }

  #hasNext() {
    while (this.#left.length > 0 && !this.#isOpen(this.#left[0].id)) this.#left.shift();
    return this.#left.length > 0;
  }

  #isOpen(id) {
    return !files.isKilled(id) && (msOf.get(id) ?? 0) < this.#maxMs && files.tries(id) < MAX_TRIES;
  }

  #tryNext() {
    const { id, hits } = this.#left.shift() ?? {};
    this.#mutant = id;
    if (id === undefined) return;
    msOf.set(id, (msOf.get(id) ?? 0) + this.#plainMs);
    files.trying(id);
    space.hitCount = 0;
    space.hitLimit = hitLimitFor(hits);
    space.activeMutant = id;
  }

  /** It failed: does the test still pass without the mutant? If not, something stays broken, and it proves nothing. */
  #endTry(test, hasFailed) {
    // What stops an endless loop is an error, which a guard around the host's code may have caught.
    const isEndless = space.hitCount > space.hitLimit;
    if (!hasFailed && !isEndless) return;
    this.#state = 'checking';
    const hasTimedOut = test.result.errors?.some(({ message }) => /timed out/.test(message)) ?? false;
    this.#how = isEndless || hasTimedOut ? 'timed out' : 'failed';
  }

  #endCheck(hasFailed) {
    files.kill(this.#mutant, this.#how);
    this.#state = hasFailed ? 'done' : 'trying';
    if (hasFailed) this.#left = [];
  }

  /** Vitest retries what failed. */
  #goOn(test, isToGoOn) {
    test.result.state = isToGoOn ? 'fail' : 'pass';
    test.result.errors = isToGoOn ? [{ message: 'the next mutant' }] : undefined;
  }
}
