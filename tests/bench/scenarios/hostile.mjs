// What somebody without a token can make a server spend: CPU for each request, memory for each connection that is held,
// and the limit that either runs against.
import { Child } from '../lib/processes.mjs';
import { short, median, spread } from '../lib/statistics.mjs';

const head = (query, headers = '') => `GET /v1/event/stream${query} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
const topics = (bytes) => {
  const one = 'topic=Order:0123456789abcdef&';
  return `?${one.repeat(Math.floor(bytes / one.length))}topic=Order`;
};
const repeated = (count, of) => Array.from({ length: count }, (_, i) => of(i)).join('&');
/** Places are the product of the two. */
const manyPlaces = `?${repeated(100, (i) => `topic=Topic${i}:k{n}-${i}`)}&${repeated(100, (i) => `namespace=n${i}`)}`;
const header = `Node's maxHeaderSize, 16 KB`;
const refusal = 'none: it is answered, and nothing is kept';

/** `[name, way, request, what bounds it, status]` */
const asks = [
  ['no token', 'again', head('?topic=Order'), refusal, 403],
  ['a wrong token', 'again', head('?topic=Order', 'X-Nomad-Token: wrong\r\n'), refusal, 403],
  ['no token, a query of 2 KB', 'again', head(topics(2048)), refusal, 403],
  ['no token, a query of 15 KB', 'again', head(topics(15_000)), header, 403],
  [
    'no token, 15 KB of blanks in a header',
    'again',
    head('?topic=Order', `X-Nomad-Token: a${' '.repeat(15_000)}b\r\n`),
    header,
    403,
  ],
  ['more than 1,000 parameters', 'again', head(`?${'a&'.repeat(1001)}`), 'parameters, 1,000', 400],
  ['a query that is too large', 'anew', head(topics(20_000)), header, 431],
  ['no token, pipelined by 50', 'pipelined', head('?topic=Order'), 'Node answers one after the other', 403],
  ['no token, a new connection each', 'anew', head('?topic=Order'), `the host's server.maxConnections`, 403],
  ['a public stream, opened and left', 'anew', head('?topic=Topic1'), '`limits.subscriptions`', 200],
  ['a public stream of 10,000 places, opened and left', 'anew', head(manyPlaces), '`limits.placesPerRequest`', 200],
];

/** `[name, request, reads nothing, what ends it]` */
const holds = [
  [
    'a request whose header never ends',
    'GET /v1/event/stream HTTP/1.1\r\nHost: a\r\nX-A: ',
    false,
    `Node's headersTimeout, 60 s`,
  ],
  ['an idle public stream', head('?topic=Topic1'), false, '`limits.subscriptions`'],
  ['a public stream with 4 MB to send, of which nothing is read', head('?topic=Topic0'), true, '`stalledMs`, 60 s'],
  ['a public stream of 10,000 places', head(manyPlaces), false, '`limits.placesInAll`, 500,000 at once'],
];

export const title = 'What somebody without a token can make a server spend';

export async function run({ isQuick, rounds, say }) {
  const bare = await measureAll('bare', [asks[0]], [], rounds, isQuick, say);
  const ours = await measureAll('fenceline', asks, holds, rounds, isQuick, say);
  return [...bare, ...ours];
}

async function measureAll(subject, asked, held, rounds, isQuick, say) {
  const rows = new Map();
  for (let round = 0; round < rounds; round++) {
    for (const one of [...asked.map(askedBy), ...held.map(heldBy)]) {
      say(`${subject}, round ${round + 1}: ${one.name}`);
      const figures = await measureOne(subject, one, isQuick);
      const row = rows.get(one.name) ?? {
        case: one.name,
        contender: subject,
        bound: one.bound,
        answers: '',
        measures: {},
      };
      row.answers = figures.answers;
      for (const [name, value] of Object.entries(figures.measures)) (row.measures[name] ??= []).push(value);
      rows.set(one.name, row);
    }
  }
  return [...rows.values()];
}

const askedBy = ([name, way, request, bound, status]) => ({ name, way, request, bound, status });
const heldBy = ([name, request, isDeaf, bound]) => ({ name, way: 'hold', request, isDeaf, bound });

/** A server and a client of their own for each: what one leaves behind is not counted to the next. */
async function measureOne(subject, one, isQuick) {
  const server = childOf('hostile-server');
  const client = childOf('hostile-client');
  try {
    const { port } = await server.ask({ step: 'start', subject });
    const count = one.way === 'hold' ? 40 : one.request === head(manyPlaces) ? 50 : isQuick ? 200 : 1000;
    const send = (more) => client.ask({ ...one, port, ...more });
    // Code that is met for the first time is slow.
    await send({ count: one.way === 'hold' ? 5 : Math.ceil(count / 2) });
    if (one.way === 'hold') await send({ way: 'leave' });
    await server.ask({ step: 'begin' });
    const answers = await send({ count });
    const { cpuSeconds, bytes } = await server.ask({ step: 'end' });
    checkAnswers(one, answers, count);
    const measures = one.way === 'hold' ? { kilobytes: bytes / count / 1024 } : { micros: (cpuSeconds / count) * 1e6 };
    return { answers: one.way === 'hold' ? 'held' : String(one.status), measures };
  } finally {
    await Promise.all([server.end(), client.end()]);
  }
}

/** A figure of something else would be worse than none. */
function checkAnswers({ name, way, status }, answers, count) {
  const got = way === 'hold' ? answers.held : answers[status];
  if (got !== count) throw new Error(`${name}: expected ${count}, got ${JSON.stringify(answers)}`);
}

function childOf(name) {
  const child = new Child(import.meta.resolve('../lib/worker.mjs'), {
    execArgv: ['--expose-gc', '--single-threaded-gc'],
  });
  const module = import.meta.resolve(`../workers/${name}.mjs`);
  return { ask: (params) => child.ask({ module, params }), end: () => child.end() };
}

export const report = (rows) => {
  const bare = rows.find(({ contender }) => contender === 'bare');
  const ours = rows.filter(({ contender }) => contender === 'fenceline');
  const lines = [{ ...bare, case: 'the same refusal by node:http alone', bound: '–' }, ...ours].map(lineOf);
  const head = ['| what it sends | answer | CPU | memory | what bounds it |', '| --- | ---: | ---: | ---: | --- |'];
  return [
    'CPU time of the server process for each request, and its memory for each connection that is held, garbage ' +
      'collected. The kernel’s buffers are not counted.',
    [...head, ...lines].join('\n'),
  ];
};

function lineOf({ case: name, answers, bound, measures: { micros, kilobytes } }) {
  return `| ${[name, answers, cell(micros, 'µs'), cell(kilobytes, 'KB'), bound].join(' | ')} |`;
}

function cell(values, unit) {
  return values ? `${short(median(values))} ${unit} ±${Math.round(spread(values) * 100)} %` : '–';
}
