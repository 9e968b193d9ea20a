import { PubSub } from 'graphql-subscriptions';

export function create({ onEvent }) {
  const pubsub = new PubSub();
  const read = async () => {
    for await (const event of pubsub.asyncIterableIterator('event')) onEvent(event);
  };
  void read();
  return { publish: (event) => pubsub.publish('event', event) };
}
