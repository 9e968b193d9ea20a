// Why mutants live that no test can kill, or that none should: by file and by what stands there, so that a reason stays
// with its code when lines move.

const typed = 'TypeScript wants it: there always is one.';
const faster = 'It does the same, and takes longer or more memory.';
const loaded = 'It runs once, when the module is loaded, before any mutant is switched on.';
const same = 'It does the same.';
const names = 'That the name of an option stands there counts, and not its value.';

/** @type {readonly { file: string, from: string | RegExp, to?: string | RegExp, reason: string }[]} */
const reasons = [
  { file: 'delivery/flush-queue.ts', from: /heartbeats\.delete/, reason: `${faster} The host gives few intervals.` },
  { file: 'flush-schedule.ts', from: 'false', reason: 'It is set before it is read.' },
  { file: 'flush-schedule.ts', from: 'true', reason: names },
  {
    file: 'flush-schedule.ts',
    from: 'this.#credit < BURST_MS',
    to: 'this.#credit <= BURST_MS',
    reason: `${same} Who has all of it earns nothing.`,
  },
  { file: 'heartbeats.ts', from: /^(this\.#timer\?\.cancel|\[\])$/, reason: typed },
  { file: 'delivery/reader.ts', from: 'this.#delivery', to: 'true', reason: 'Only who has a transport is in step.' },
  { file: 'transport-delivery.ts', from: 'true', to: 'false', reason: names },
  {
    file: 'transport-delivery.ts',
    from: 'false',
    to: 'true',
    reason: 'It is set before it is read; or the stream has ended, and nobody asks.',
  },
  {
    file: 'transport-delivery.ts',
    from: /^start [!=]== undefined$/,
    reason: 'TypeScript wants it: no slice is kept, or found, without a place.',
  },
  { file: 'encoded-batch.ts', from: 'first && !second', reason: `${faster} The text is put together anew.` },
  { file: 'heap-size.ts', from: 'i < text.length', to: 'i <= text.length', reason: `${same} There is no letter.` },
  { file: 'heap-size.ts', from: /^this\.#young\.size >= /, to: /> MAX_NAMES/, reason: 'One name more is remembered.' },
  { file: 'payload-copy.ts', from: /^default: /, reason: `${same} A function that returns nothing gives undefined.` },
  { file: 'payload-copy.ts', from: "''", reason: 'The key is for a toJSON, which is not there.' },
  {
    file: 'payload-copy.ts',
    from: "key === '__proto__'",
    to: 'true',
    reason: `${faster} Any member can be defined so.`,
  },
  {
    file: 'state-part.ts',
    from: /^this\.removed\.length === 0 && /,
    reason: `${faster} The text is put together anew.`,
  },
  { file: 'batch-record.ts', from: /^payloads\[i\]/, reason: typed },
  { file: 'batch-record.ts', from: "''", reason: typed },
  { file: 'batch-record.ts', from: 'lineEnd < 0', to: 'lineEnd <= 0', reason: `${same} An empty line is no header.` },
  { file: 'batch-record.ts', from: /uFFFD/, reason: `${faster} All texts are compared.` },
  { file: 'batch-record.ts', from: /as number\) > 0$/, to: />= 0$/, reason: `${same} An empty text is no JSON.` },
  { file: 'batch-record.ts', from: /^\{/, reason: `${same} A function that returns nothing gives undefined.` },
  { file: 'checked-log.ts', from: /^fresh\.at\(-1\)/, reason: typed },
  { file: 'checked-log.ts', from: 'index > expected', to: /^index >= /, reason: `${same} Equal ones are told before.` },
  { file: 'log-feed.ts', from: /^(status !== 'down'|'down')$/, reason: 'Who is woken looks again, and waits on.' },
  { file: 'log-feed.ts', from: '++this.#loads', reason: `${same} It must only be another number.` },
  { file: 'state-loading.ts', from: /^records\.at\(-1\)/, reason: typed },
  { file: 'interest-index.ts', from: /^by(Topic|Key)\?\./, reason: typed },
  { file: 'interest-index.ts', from: /\?\.size( === 0)?$/, reason: `${faster} Empty levels of the map stay.` },
  {
    file: 'interest-index.ts',
    from: "event.namespace !== '*'",
    reason: 'No event has the namespace "*": it is refused.',
  },
  { file: 'interest-index.ts', from: 'this.#stamp++', reason: `${same} It must only be another number.` },
  { file: 'interest-index.ts', from: "''", reason: `${same} Each key has it.` },
  { file: 'interest-index.ts', from: '[]', reason: loaded },
  { file: 'interest-index.ts', from: /^\(\{ filter, namespaces \}/, reason: loaded },
  { file: 'interest.ts', from: /^filter\.isAll && namespaces\.isAll && /, to: 'false', reason: faster },
  { file: 'interest.ts', from: 'isFirst', to: 'false', reason: faster },
  { file: 'interest.ts', from: /^this\.#waiters\.size/, reason: faster },
  { file: 'interest.ts', from: '[]', reason: 'It is replaced before it is read.' },
  { file: 'left-objects.ts', from: 'oldest === undefined', reason: typed },
  { file: 'left-objects.ts', from: 'this.#byName.size === 0', to: 'false', reason: faster },
  { file: 'left-objects.ts', from: '(): boolean => true', reason: loaded },
  {
    file: 'namespace-filter.ts',
    from: "typeof name !== 'string'",
    reason: 'What is no text is told by the next condition.',
  },
  { file: 'place-list.ts', from: /^(this\.#isLent|false)$/, reason: `${faster} The list is copied once more.` },
  { file: 'place-list.ts', from: 'last !== undefined', reason: typed },
  { file: 'position-list.ts', from: /MIN_DEAD|^this\.#dead \* 2/, reason: `${faster} The list is tidied sooner.` },
  { file: 'shared-chunk.ts', from: 'this.#bytes !== undefined', reason: `${same} With a format there are bytes.` },
  { file: 'shared-slices.ts', from: 'oldest !== undefined', reason: typed },
  { file: 'topic-filter.ts', from: /^(\[\['\*', '\*'\]\]|\['\*', '\*'\]|'allowed: .*)$/, reason: loaded },
  { file: 'topic-filter.ts', from: "'*'", to: '""', reason: `${loaded} Or: the letters of "*" are "*".` },
  { file: 'topic-filter.ts', from: "keys === '*'", to: 'false', reason: `${same} The letters of "*" are "*".` },
  { file: 'topic-filter.ts', from: '[]', reason: typed },
  {
    file: 'topic-filter.ts',
    from: 'colon < 0',
    to: 'colon <= 0',
    reason: `${same} A term that begins with a colon has no topic.`,
  },
  {
    file: 'acl-store.ts',
    from: /^(isNewest\(\)|\{ …)$/,
    to: /^(false|\{\})$/,
    reason: `${faster} The name of a policy that was refused stays until it is written again.`,
  },
  { file: 'acl/claims.ts', from: 'a < b', to: 'a <= b', reason: `${same} No two members have one name.` },
  { file: 'dependency-index.ts', from: /^dependents\?\./, to: /^dependents\./, reason: typed },
  { file: 'dependency-index.ts', from: /\?\.size === 0$/, to: 'false', reason: `${faster} Empty sets stay.` },
  { file: 'merged-rules.ts', from: 'a < b', to: 'a <= b', reason: `${same} No two rules have one name.` },
  {
    file: 'merged-rules.ts',
    from: 'words.block(name)?.isIgnored',
    reason: 'TypeScript wants it: the words that read the rules know their blocks.',
  },
  {
    file: 'merged-rules.ts',
    from: "'*'",
    to: '""',
    reason: `${same} What stands for the empty name stands for "*" too; all others are asked as well.`,
  },
  {
    file: 'revocation.ts',
    from: /^(tries|this\.#losses|session\.version)\+\+$/,
    reason: `${same} It must only be another number.`,
  },
  { file: 'revocation.ts', from: '{ …', to: '{}', reason: `${faster} What was asked for goes on collecting changes.` },
  { file: 'revocation.ts', from: 'timer?.cancel', reason: typed },
  { file: 'acl/rights.ts', from: "''", reason: 'TypeScript wants it: a block without a name is refused before.' },
];

const fits = (pattern, text) => (typeof pattern === 'string' ? pattern === text : pattern.test(text));

export function reasonFor({ file, from, to }) {
  return reasons.find(
    (one) => file.endsWith(one.file) && fits(one.from, from) && (one.to === undefined || fits(one.to, to)),
  )?.reason;
}
