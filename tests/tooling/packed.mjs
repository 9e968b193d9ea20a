// The package as a user gets it: packed, and installed into a project of its own.
import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { root } from './entries.mjs';

const run = promisify(execFile);

/**
 * What npm says that it packs, or with `--dry-run` would: `{ filename, files, size }`. The build was a step of its own.
 */
export async function npmPack(...flags) {
  const options = { cwd: root, maxBuffer: 2 ** 26 };
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', ...flags], options);
  const answer = JSON.parse(stdout);
  const [packed] = Array.isArray(answer) ? answer : Object.values(answer);
  return packed;
}

/**
 * @returns the path of the tarball, in `folder`
 * @throws Error for a file in it that no user needs
 */
export async function pack(folder) {
  const { filename, files } = await npmPack('--pack-destination', folder);
  const stray = files.map(({ path }) => path).filter((path) => !/^(dist\/|[A-Z]+(\.md)?$|package\.json$)/.test(path));
  if (stray.length > 0) throw new Error(`The package holds files that users do not need: ${stray.join(', ')}`);
  return join(folder, filename);
}

/** Installs the packages that the lockfile in `from` pins into `folder`, and the tarball beside them. */
export async function installLocked(from, folder, tarball) {
  for (const file of ['package.json', 'package-lock.json']) await copyFile(join(from, file), join(folder, file));
  const quietly = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await run('npm', ['ci', ...quietly], { cwd: folder });
  // Not through npm: it would install the peers that it finds missing in the lockfile, and write to that.
  await run('npm', ['install', ...quietly, '--no-save', '--no-package-lock', tarball], { cwd: folder });
}
