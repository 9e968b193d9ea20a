// What no test executes, with the reason. check-coverage.mjs leaves it out, and says when an entry has lost its reason.

const index = 'The index is within the list. TypeScript wants a value for one that is not (noUncheckedIndexedAccess).';
const always = 'There always is one. TypeScript cannot know, since it stands in a map or a match of a pattern.';
const fromNode = 'Node always gives one; the interface of a request leaves it open.';
const foreign = 'What another package throws is an Error; nothing says that it has to be.';
const contract = 'All logs of this package can do that. The suite is for those of others, too.';

/** Files of which the tests execute few statements. @type {Readonly<Record<string, string>>} */
export const uncovered = {
  'src/react/use-feed.ts':
    'Effects run in a page: tests/react/hooks.test.ts drives it in Chromium, where nothing counts.',
};

/** Lines: the branches that begin there. @type {readonly { file: string, line: string, why: string }[]} */
export const unreachable = [
  { file: 'nomad/hcl-rules.ts', line: "cause instanceof Error ? cause.message : 'unknown reason'", why: foreign },
  { file: 'adapters/node-handler.ts', line: "request.method ?? 'GET'", why: fromNode },
  { file: 'adapters/node-handler.ts', line: "request.url ?? '/'", why: fromNode },
  { file: 'client/event-decoder.ts', line: '.exec(line) ?? []', why: 'Every line fits the pattern.' },
  { file: 'core/backlog/event-buffer.ts', line: 'batch?.bytes ?? 0', why: index },
  { file: 'core/backlog/event-buffer.ts', line: 'batch?.position ?? last', why: index },
  { file: 'core/backlog/event-buffer.ts', line: 'this.#at(n)?.position ?? 0', why: index },
  { file: 'core/backlog/event-buffer.ts', line: 'if (!batch) return;', why: index },
  { file: 'core/backlog/retained-state.ts', line: 'this.#unreadable.shift() ?? 0', why: always },
  { file: 'core/delivery/heartbeats.ts', line: '?? new Set()', why: index },
  { file: 'core/delivery/heartbeats.ts', line: 'this.#slots[this.#next] ?? []', why: index },
  { file: 'core/log/batch-record.ts', line: 'payloads[i]?.length ?? 0', why: index },
  { file: 'core/log/batch-record.ts', line: "payloads[i] ?? ''", why: index },
  { file: 'core/log/checked-log.ts', line: 'fresh.at(-1)?.index ?? position', why: always },
  { file: 'core/matching/interest.ts', line: 'forgotten.at(-1) ?? 0', why: always },
  { file: 'core/matching/topic-filter.ts', line: 'this.#keysOf.get(topic) ?? []', why: always },
  {
    file: 'core/broker/state-start.ts',
    line: "request.index === 'latest' ? 0",
    why: 'Such a request is refused before.',
  },
  { file: 'core/broker/explaining.ts', line: 'if (event === undefined) return [];', why: 'It is of a list of one.' },
  {
    file: 'explorer/explorer-page.ts',
    line: 'parts[name] ?? whole',
    why: 'The page names the four parts, and no others.',
  },
  { file: 'explorer/page/rate.ts', line: '?? 0', why: index },
  { file: 'logs/memory-pins.ts', line: 'this.#keysAt.get(index) ?? []', why: always },
  { file: 'logs/jetstream/stream-read.ts', line: 'chunk.at(-1)?.index ?? this.#next', why: always },
  { file: 'logs/jetstream/stream-read.ts', line: 'records[end]?.body.length ?? 0', why: index },
  { file: 'logs/jetstream/record-publisher.ts', line: 'error instanceof Error ? error', why: foreign },
  { file: 'logs/redis/failure.ts', line: 'thrown instanceof Error ? thrown.message', why: foreign },
  { file: 'logs/postgres/log-reading.ts', line: 'index: index ?? 0', why: 'A row without an index is no record.' },
  { file: 'model/options.ts', line: 'above[j - 1] ?? 0', why: index },
  { file: 'model/options.ts', line: 'row[j - 1] ?? 0', why: index },
  { file: 'model/options.ts', line: 'above[b.length] ?? 0', why: index },
  { file: 'testing/event-log-contract/append-tests.ts', line: 'capabilities.dense) return;', why: contract },
  { file: 'testing/event-log-contract/append-tests.ts', line: 'records[0]?.body ?? []', why: index },
  { file: 'testing/event-log-contract/conditional-append-tests.ts', line: 'capabilities', why: contract },
  { file: 'testing/event-log-contract/pin-tests.ts', line: 'capabilities', why: contract },
  { file: 'testing/event-log-contract/pinned-tests.ts', line: 'log.pinned?.(', why: contract },
  { file: 'testing/event-log-contract/pinned-tests.ts', line: 'seen[i - 1] ?? 0', why: index },
  { file: 'testing/event-log-contract/subject.ts', line: 'log.pinned?.(', why: contract },
  { file: 'testing/event-log-contract/read-tests.ts', line: 'indexes[4] ?? 0', why: index },
  { file: 'testing/event-log-contract/tail-tests.ts', line: 'indexes[2] ?? 0', why: index },
  { file: 'testing/event-log-contract/tail-tests.ts', line: "kinds[i % 2] ?? 'acl'", why: index },
  { file: 'testing/event-log-contract/lifecycle-tests.ts', line: 'acknowledged.at(-1) ?? 0', why: always },
  { file: 'testing/faulty-tail.ts', line: 'batch.at(-1)?.index ?? this.#position', why: always },
];
