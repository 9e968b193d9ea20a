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
const manyTopics = repeated(100, (i) => `topic=Topic${i}:k{n}-${i}`);
const manyPlaces = `?${manyTopics}&${repeated(100, (i) => `namespace=n{n}-${i}`)}`;
const header = 'Node’s `maxHeaderSize`, 16 KB';
const refusal = 'none: it is answered, and nothing is kept';

const refused = { way: 'again', status: 403, bound: refusal };
const anew = { way: 'anew', status: 200, count: 1000 };
const asks = [
  { ...refused, name: 'no token', request: head('?topic=Order') },
  { ...refused, name: 'a wrong token', request: head('?topic=Order', 'X-Nomad-Token: wrong\r\n') },
  { ...refused, name: 'no token, a query of 2 KB', request: head(topics(2048)) },
  { ...refused, name: 'no token, a query of 15 KB', request: head(topics(15_000)), bound: header },
  {
    ...refused,
    name: 'no token, 15 KB of blanks in a header',
    request: head('?topic=Order', `X-Nomad-Token: a${' '.repeat(15_000)}b\r\n`),
    bound: header,
  },
  {
    ...refused,
    name: 'more than 1,000 parameters',
    request: head(`?${'a&'.repeat(1001)}`),
    status: 400,
    bound: 'parameters, 1,000',
  },
  { ...anew, name: 'a query that is too large', request: head(topics(20_000)), status: 431, bound: header },
  {
    ...refused,
    name: 'no token, pipelined by 50',
    way: 'pipelined',
    request: head('?topic=Order'),
    bound: 'Node answers one after the other',
  },
  {
    ...anew,
    name: 'no token, a new connection each',
    request: head('?topic=Order'),
    status: 403,
    bound: 'the server’s `maxConnections`',
  },
  {
    ...anew,
    name: 'a public stream, opened and left',
    request: head('?topic=Topic1'),
    bound: '`limits.subscriptions`',
  },
  {
    ...anew,
    name: 'a public stream of 10,000 places, opened and left',
    request: head(manyPlaces),
    count: 50,
    bound: '`limits.placesPerRequest`',
  },
];

const hold = { way: 'hold', count: 400, isDeaf: false };
const holds = [
  {
    ...hold,
    name: 'a request whose header never ends',
    request: 'GET /v1/event/stream HTTP/1.1\r\nHost: a\r\nX-A: ',
    isDeaf: true,
    bound: 'Node’s `headersTimeout`, 60 s',
  },
  { ...hold, name: 'an idle public stream', request: head('?topic=Topic1'), bound: '`limits.subscriptions`' },
  {
    ...hold,
    name: 'a public stream with 4 MB to send, of which nothing is read',
    request: head('?topic=Topic0'),
    count: 100,
    isDeaf: true,
    bound: '`stalledMs`, 60 s',
  },
  {
    ...hold,
    name: 'a public stream of 10,000 places',
    request: head(manyPlaces),
    count: 40,
    bound: '`limits.placesInAll`, 500,000 at once',
  },
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
    for (const one of [...asked, ...held]) {
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

/** A server and a client of their own for each: what one leaves behind is not counted to the next. */
async function measureOne(subject, one, isQuick) {
  const server = childOf('hostile-server');
  const client = childOf('hostile-client');
  try {
    const { port } = await server.ask({ step: 'start', subject });
    const count = Math.ceil((one.count ?? 1000) / (isQuick && one.way !== 'hold' ? 5 : 1));
    const send = (more) => client.ask({ ...one, port, ...more });
    // Code that is met for the first time is slow.
    await send({ count: Math.ceil(count / 2) });
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
