// Other work on the machine spoils a measurement: it is waited for, for a while, and what was disturbed is taken again.
import { setTimeout as pause } from 'node:timers/promises';
import os from 'node:os';
import { busySeconds } from './machine.mjs';

/** Largest share of the machine that others may take. */
const MAX_NOISE = 0.12;
const SAMPLE_MS = 150;
const MAX_ATTEMPTS = 3;

/** How long to wait for a calm machine before each measurement, in ms. */
let patienceMs = 10_000;

export function setPatience(ms) {
  patienceMs = ms;
}

/** Measures while the machine is calm. @returns the figures of the calmest attempt */
export async function whenCalm(measure) {
  let calmest;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    await waitForCalm();
    const figures = await measure();
    if (calmest === undefined || figures.noise < calmest.noise) calmest = figures;
    if (!(calmest.noise > MAX_NOISE) || patienceMs === 0) break;
  }
  return calmest;
}

async function waitForCalm() {
  const end = performance.now() + patienceMs;
  while (performance.now() < end && (await noise()) > MAX_NOISE);
}

async function noise() {
  const busy = busySeconds();
  const start = performance.now();
  await pause(SAMPLE_MS);
  return (busySeconds() - busy) / ((performance.now() - start) / 1e3) / os.cpus().length;
}
