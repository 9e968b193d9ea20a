import type * as JetStream from '@nats-io/jetstream';

import { BrokerError } from '../../model/errors.ts';

/** The optional peer. Its types stay within this folder: nothing that is exported from it names them. */
export type JetStreamPackage = typeof JetStream;

/**
 * Loads the optional peer, when a log is opened and not before.
 * @throws BrokerError `not_supported` when it is not installed
 */
export async function loadJetStream(): Promise<JetStreamPackage> {
  try {
    return await import('@nats-io/jetstream');
  } catch (cause) {
    const needs = 'JetStreamEventLog needs the package "@nats-io/jetstream" 3, which could not be loaded';
    throw new BrokerError('not_supported', `${needs}: npm install @nats-io/jetstream@3`, { cause });
  }
}
