// What the processes that try mutants tell each other and run.mjs, as files of one folder: they may be ended at any
// moment. `killed/<id>`, `reached/<id>`, `tries/<id>` (a byte for each), `trying/<pid>` (the mutant that runs
// there), `done/<test file>`.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { root } from '../tooling/entries.mjs';

export class MutantFiles {
  #folder;
  #killed = new Set();
  #reached = new Set();

  constructor(folder) {
    this.#folder = folder;
    for (const name of ['killed', 'reached', 'tries', 'trying', 'done'])
      mkdirSync(join(folder, name), { recursive: true });
  }

  reached(id) {
    if (this.#reached.has(id)) return;
    this.#reached.add(id);
    writeFileSync(this.#path('reached', id), '');
  }

  isKilled(id) {
    if (this.#killed.has(id)) return true;
    const isKilled = existsSync(this.#path('killed', id));
    if (isKilled) this.#killed.add(id);
    return isKilled;
  }

  kill(id, how) {
    this.#killed.add(id);
    writeFileSync(this.#path('killed', id), how);
  }

  /** Whether a test, or the whole process, was still running with it when its time was up. */
  isTimedOut(id) {
    const path = this.#path('killed', id);
    return existsSync(path) && readFileSync(path, 'utf8') !== 'failed';
  }

  tries(id) {
    return statSync(this.#path('tries', id), { throwIfNoEntry: false })?.size ?? 0;
  }

  trying(id) {
    appendFileSync(this.#path('tries', id), '.');
    writeFileSync(this.#path('trying', process.pid), id);
  }

  /** All tests of this file have been run with all mutants that they can try. */
  done(file) {
    writeFileSync(this.#path('done', encodeURIComponent(relative(root, file))), '');
  }

  isDone(file) {
    return existsSync(this.#path('done', encodeURIComponent(relative(root, file))));
  }

  /** No mutant runs in this process. */
  idle() {
    rmSync(this.#path('trying', process.pid), { force: true });
  }

  #path(name, id) {
    return join(this.#folder, name, String(id));
  }
}
