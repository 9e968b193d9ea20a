/** What the endpoint sets on a stream of ndjson. */
export const streamHeaders = (epoch: string) => ({
  'content-type': 'application/json',
  'cache-control': 'no-cache, no-store, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
  'x-fenceline-epoch': epoch,
});
