import type * as JetStream from '@nats-io/jetstream';

import { loadOptionalPackage } from '../../model/optional-package.ts';

/** The optional peer. Its types stay within this folder: nothing that is exported from it names them. */
export type JetStreamPackage = typeof JetStream;

/**
 * Loads the optional peer, when a log is opened and not before.
 * @throws BrokerError `not_supported` when it is not installed
 */
export const loadJetStream = (): Promise<JetStreamPackage> =>
  loadOptionalPackage({ need: 'JetStreamEventLog needs', name: '@nats-io/jetstream', version: '3' });
