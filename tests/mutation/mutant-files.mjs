// What the processes that try mutants tell each other and run.mjs, as files of one folder: they may be ended at any
// moment. `killed/<id>`, `reached/<id>`, `tries/<id>` (a byte for each), `trying/<pid>` (the mutant that runs there).
import { appendFileSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class MutantFiles {
  #folder;
  #killed = new Set();
  #reached = new Set();

  constructor(folder) {
    this.#folder = folder;
    for (const name of ['killed', 'reached', 'tries', 'trying']) mkdirSync(join(folder, name), { recursive: true });
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

  tries(id) {
    return statSync(this.#path('tries', id), { throwIfNoEntry: false })?.size ?? 0;
  }

  trying(id) {
    appendFileSync(this.#path('tries', id), '.');
    writeFileSync(this.#path('trying', process.pid), id);
  }

  /** No mutant runs in this process. */
  idle() {
    rmSync(this.#path('trying', process.pid), { force: true });
  }

  #path(name, id) {
    return join(this.#folder, name, String(id));
  }
}
