import { BrokerError } from './errors.ts';
import { importPackage } from './import-package.js';

/** A package that the host installs where it wants what needs it. */
export interface OptionalPackage {
  /** What needs it, as the start of a sentence: `LmdbEventLog needs`. */
  readonly need: string;
  readonly name: string;
  /** The version to install, where not any does. */
  readonly version?: string;
  /** What to do without it. */
  readonly otherwise?: string;
}

/**
 * Loads an optional package, to be called at the first need. Its name is no literal here, and bundlers are told to
 * leave the import alone: they would else refuse to build where the package is not installed, though most hosts never
 * need it. So it is not part of a bundle, and is looked for in `node_modules` where the bundle runs.
 * @throws BrokerError `not_supported` when it is not there, or has no build for this platform
 */
export async function loadOptionalPackage<Package>(wanted: OptionalPackage): Promise<Package> {
  try {
    return (await importPackage(wanted.name)) as Package;
  } catch (cause) {
    throw new BrokerError('not_supported', adviceOn(wanted), { cause });
  }
}

function adviceOn({ need, name, version, otherwise }: OptionalPackage): string {
  const install = version === undefined ? name : `${name}@${version}`;
  const advice = `${need} the package ${name}, which could not be loaded where this runs: npm install ${install}.`;
  return otherwise === undefined ? advice : `${advice} ${otherwise}`;
}
