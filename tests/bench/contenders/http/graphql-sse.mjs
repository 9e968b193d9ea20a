// graphql-sse on node:http, one connection per subscription, with the PubSub of graphql-subscriptions; a field that is
// a JSON scalar.
import { GraphQLObjectType, GraphQLScalarType, GraphQLSchema, GraphQLString } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/http';
import { PubSub } from 'graphql-subscriptions';
import { keyOf, wireBatch } from '../../lib/events.mjs';
import { serve } from './server.mjs';

export async function create({ isSelective }) {
  const pubsub = new PubSub();
  pubsub.ee?.setMaxListeners(0);
  const json = new GraphQLScalarType({ name: 'JSON', serialize: (value) => value });
  const event = {
    type: json,
    args: { key: { type: GraphQLString } },
    subscribe: (_, { key }) => pubsub.asyncIterableIterator(isSelective ? key : 'event'),
    resolve: (value) => value,
  };
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { ok: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType({ name: 'Subscription', fields: { event } }),
  });
  const handle = createHandler({ schema });
  const address = await serve((request, response) => void handle(request, response).catch(() => response.destroy()));
  let index = 0;
  return {
    ...address,
    request: subscribeRequest(),
    publish: (published) => pubsub.publish(isSelective ? published.key : 'event', wireBatch(published, ++index)),
  };
}

function subscribeRequest() {
  const body = JSON.stringify({ query: 'subscription { event(key: "{key}") }' });
  const headers = [
    'POST /graphql/stream HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    'Accept: text/event-stream',
    `Content-Length: ${body.replace('{key}', keyOf(0)).length}`,
  ];
  return `${headers.join('\r\n')}\r\n\r\n${body}`;
}
