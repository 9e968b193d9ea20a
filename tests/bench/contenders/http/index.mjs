// The contenders of the HTTP scenarios, by the names that stand in the report.
import { execFileSync } from 'node:child_process';

const contender = (name, file, options = {}) => ({ name, module: import.meta.resolve(`./${file}.mjs`), options });

export const raw = contender('raw loop', 'raw');
export const fenceline = contender('fenceline', 'fenceline');
/** Without the duty cycle: what one event costs when it is not joined with others. */
export const everyTurn = contender('fenceline, flush in every turn', 'fenceline', { maxShare: 1 });
/** Without the fast path. */
export const byResponse = contender('fenceline, response.write', 'fenceline', { maxShare: 1, writer: 'response' });
/** Compressed once for all. */
export const compressed = contender('fenceline, compressed', 'fenceline', { maxShare: 1, compression: true });
/** Compressed for each. */
export const compressedEach = contender('compression, each response by itself', 'compression');
export const jsonPerSubscriber = contender('JSON per subscriber', 'json-per-subscriber');
export const betterSse = contender('better-sse', 'better-sse');
export const graphqlSse = contender('graphql-sse', 'graphql-sse');
export const hono = contender('Hono streaming', 'hono');
export const natsServer = contender('nats-server', 'nats');
/** To be run: none where Debian's nats-server is not on the PATH. */
export const nats = isInstalled('nats-server') ? [natsServer] : [];

/** C++ behind JavaScript: WebSockets, without backlog, rights or resuming. */
export const bunPublish = contender('Bun server.publish', 'bun-publish');
export const durableStreams = contender('Durable Streams', 'durable-streams');

export const peers = [jsonPerSubscriber, betterSse, graphqlSse, hono, ...nats];

export function isInstalled(command) {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
