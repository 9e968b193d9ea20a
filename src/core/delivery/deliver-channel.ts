import { channel } from 'node:diagnostics_channel';

/**
 * Told of each handover to a reader. Asked for `hasSubscribers` before a message is made: with nobody there, a handover
 * costs that look and nothing else.
 */
export const deliverChannel = channel('fenceline.deliver');
