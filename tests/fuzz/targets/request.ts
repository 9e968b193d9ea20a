import { answerStreamRequest } from '../../../src/adapters/stream-endpoint.ts';
import { parseStreamRequest } from '../../../src/adapters/stream-request.ts';
import { AclResolver, defineTopics, EventBroker, MemoryAclStore } from '../../../src/index.ts';
import { documented, require, type FuzzTarget } from '../target.ts';

const topics = defineTopics({
  Job: { requires: 'anyone', retain: 'latest', removedBy: ['JobGone'] },
  Node: {},
  Aliased: { aliasOf: 'Job', types: ['x'] },
});

/** What a request that is no good may be answered with. */
const refusals = new Set([400, 403, 405, 410, 503]);

let broker: EventBroker | undefined;

async function brokerWithEvents(): Promise<EventBroker> {
  const acl = new AclResolver({ store: new MemoryAclStore() });
  const made = new EventBroker({ topics, acl, buffer: { maxBatches: 4 } });
  for (let i = 0; i < 6; i++)
    await made.publish({ topic: 'Job', type: 'JobRegistered', key: `k${i}`, payload: i } as never);
  return made as unknown as EventBroker;
}

/** The first line is the target of the request, each other one a header. */
export const request: FuzzTarget = {
  name: 'request',
  words: [
    ...[
      'topic=',
      'namespace=',
      'index=',
      'epoch=',
      'state=true',
      'mark=',
      'gap=fail',
      'bookmarks=true',
      'lastEventId=',
      '&',
    ],
    ...[
      '/v1/event/stream?',
      'last-event-id: ',
      'accept: text/event-stream',
      'x-nomad-token: ',
      'authorization: Bearer ',
      '\n',
    ],
  ],
  tries: 600,
  async run(input) {
    const [target = '', ...lines] = input.toString().split('\n');
    const parsed = documented(() => parseStreamRequest(target), 'bad_request');
    if (parsed)
      require(JSON.stringify(parsed).length <= 6 * target.length + 500, 'What is read is longer than the request.');
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    );
    broker ??= await brokerWithEvents();
    const answer = await answerStreamRequest(
      { broker: broker as never },
      { own: undefined, method: 'GET', url: target, header: (name) => headers.get(name) },
    );
    if ('stream' in answer) {
      answer.stream.subscription.poll();
      answer.stream.subscription.close();
      return;
    }
    const { status, body } = answer.plain;
    require(refusals.has(status), `The answer is ${status}: ${body}`);
    require(body.length <= 4096, `The refusal has ${body.length} letters.`);
    require(broker.stats().subscriptions === 0, 'A request that was refused left a subscription.');
  },
  async close() {
    await broker?.close();
    broker = undefined;
  },
};
