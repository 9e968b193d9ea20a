// One step of `npm test`: a command in a process group of its own, its output kept.
import { spawn } from 'node:child_process';

import { root } from './entries.mjs';

/**
 * There is no limit on how long a step may take, since a busy machine reaches any. A step that says nothing for so long
 * hangs: a test that hangs is ended by vitest's time-out before that, and named.
 */
const maxSilenceMs = 15 * 60_000;

/** What the reporter prints at once for each failing test; everything else is kept for the end of the step. */
const isFailureLine = (line) => /^(?:FAILED |  \| )/.test(line);

export class RunningStep {
  name;
  output = '';
  /** Settles when the command and all that holds its output ended: `{ name, code, output, seconds }`. */
  ended;
  #child;
  #silence;
  #line = '';
  #onFailureLine;

  constructor({ name, command, args, env }, onFailureLine) {
    this.name = name;
    this.#onFailureLine = onFailureLine;
    const start = performance.now();
    const options = { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true };
    this.#child = spawn(command, args, options);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.setEncoding('utf8').on('data', (text) => this.#take(text));
    this.#watchSilence();
    this.ended = this.#end().then((code) => {
      clearTimeout(this.#silence);
      return { name, code, output: this.output, seconds: (performance.now() - start) / 1000 };
    });
  }

  /** Ends it, with all that it started. */
  kill() {
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }

  #end() {
    return new Promise((resolve) => {
      this.#child.on('close', (code) => resolve(code ?? 1));
      this.#child.on('error', (error) => {
        this.output += error.message;
        resolve(1);
      });
    });
  }

  #take(text) {
    this.#watchSilence();
    this.output += text;
    const lines = `${this.#line}${text}`.split('\n');
    this.#line = lines.pop();
    for (const line of lines.filter(isFailureLine)) this.#onFailureLine(line);
  }

  #watchSilence() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.output += `\nended: it printed nothing for ${maxSilenceMs / 60_000} minutes\n`;
      this.kill();
    }, maxSilenceMs);
  }
}
