/**
 * How an open subscription stands, as an operator wants to know it.
 *
 * - `synced`: it has passed all there is
 * - `behind`: there is more for it to read
 * - `fetching`: what comes next is on its way from the log
 * - `blocked`: its transport pushes back
 * - `fenced`: it waits for its rights to be confirmed
 */
export type SubscriptionCondition = 'synced' | 'behind' | 'fetching' | 'blocked' | 'fenced';
