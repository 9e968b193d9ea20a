import type { RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb';

import { loadOptionalPackage } from '../../model/optional-package.ts';

type Open = (options: RootDatabaseOptionsWithPath) => RootDatabase<Buffer, number>;

/**
 * The optional peer, loaded when a log is opened and not before.
 * @throws BrokerError `not_supported` when it is not installed or has no build for this platform
 */
export async function loadLmdb(): Promise<Open> {
  const wanted = { need: 'LmdbEventLog needs', name: 'lmdb', version: '3' };
  const { open } = await loadOptionalPackage<{ readonly open: Open }>(wanted);
  return open;
}
