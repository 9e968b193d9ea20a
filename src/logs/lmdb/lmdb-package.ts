import type { RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb';

import { BrokerError } from '../../model/errors.ts';

type Open = (options: RootDatabaseOptionsWithPath) => RootDatabase<Buffer, number>;

/**
 * The optional peer, loaded when a log is opened and not before.
 * @throws BrokerError `not_supported` when it is not installed or has no build for this platform
 */
export async function loadLmdb(): Promise<Open> {
  try {
    const { open } = await import('lmdb');
    return open;
  } catch (cause) {
    const message = 'LmdbEventLog needs the package "lmdb" 3, which could not be loaded: npm install lmdb@3';
    throw new BrokerError('not_supported', message, { cause });
  }
}
