import { type Browser, chromium } from 'playwright-core';

import { findExecutable } from '../servers/executable.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** Quiet: no service of the browser's own is asked for anything. */
const flags = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** The browser on the PATH, if there is one. */
export function findChromium(): string | undefined {
  return findExecutable(...names);
}

export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: flags });
}
