import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { describe } from 'vitest';

import { findExecutable } from './executable.ts';
import { freePort } from './free-port.ts';

/** The server's binary: `NGINX` (empty: none), or `nginx` from the PATH or where Debian puts it. */
const binary = process.env['NGINX'] ?? findExecutable('nginx');

const missing = 'nginx is missing; install it, or name its binary in NGINX';
if (!binary) console.warn(`note: tests are skipped: ${missing}.`);

/**
 * A `describe` for tests that need the server: skipped, and said so, where it is missing; there they fail with
 * `CI=true`.
 */
export const describeWithNginx = describe.skipIf(!binary && process.env['CI'] !== 'true');

/** Several upstreams are asked in turn. */
interface Upstreams {
  readonly ports: readonly number[];
  /** How often one may fail before it is left out for ten seconds; 0: it never is. Default nginx's own, 1. */
  readonly maxFails?: number;
}

const serversOf = ({ ports, maxFails }: Upstreams): string =>
  ports.map((port) => `server 127.0.0.1:${port}${maxFails === undefined ? '' : ` max_fails=${maxFails}`};`).join(' ');

/** A plain `proxy_pass`: buffering is on by default, and JSON is compressed, as many sites have it. */
const configuration = (folder: string, port: number, upstreams: Upstreams) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  gzip on;
  gzip_types application/json text/event-stream;
  upstream brokers { ${serversOf(upstreams)} }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://brokers; }
  }
}
`;

/**
 * Starts nginx, tells its process id, and ends it when standard input ends: with this process, whatever ends that one.
 */
const GUARD = '"$@" & echo "guarded $!"; cat >/dev/null; kill -9 $!';

/** A real nginx on a port of its own, its files in a temporary folder. */
export class Nginx {
  readonly port: number;
  readonly #folder: string;
  readonly #guard: ChildProcess;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    const command = [binary ?? 'nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
    this.#guard = spawn('/bin/sh', ['-c', GUARD, 'sh', ...command], { stdio: ['pipe', 'ignore', 'pipe'] });
  }

  /** @throws Error with what it printed when it does not come up */
  static async start(upstreams: Upstreams): Promise<Nginx> {
    if (!binary) throw new Error(missing);
    const folder = await mkdtemp(join(tmpdir(), 'fenceline-nginx-'));
    const port = await freePort();
    await writeFile(join(folder, 'nginx.conf'), configuration(folder, port, upstreams));
    const nginx = new Nginx(port, folder);
    await nginx.#ready();
    return nginx;
  }

  async stop(): Promise<void> {
    const closed = once(this.#guard, 'close');
    this.#guard.stdin?.end();
    await closed;
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** It says its operating system once it listens. */
  #ready(): Promise<void> {
    const printed: string[] = [];
    return new Promise((resolve, reject) => {
      if (!this.#guard.stderr) return reject(new Error('nginx has no standard error.'));
      createInterface(this.#guard.stderr).on('line', (line) => {
        if (printed.length < 200) printed.push(line);
        if (line.includes('OS:')) resolve();
        if (line.includes('[emerg]')) reject(new Error(`nginx did not start:\n${printed.join('\n')}`));
      });
      this.#guard.once('close', () => reject(new Error(`nginx ended:\n${printed.join('\n')}`)));
    });
  }
}
