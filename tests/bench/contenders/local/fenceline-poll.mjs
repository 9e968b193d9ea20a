import { EventBroker } from 'fenceline';

export async function create({ onEvent }) {
  const broker = new EventBroker();
  const subscription = await broker.subscribe();
  const drain = () => {
    for (let batch = subscription.poll(); batch !== undefined; batch = subscription.poll())
      batch.events.forEach(onEvent);
  };
  return { publish: (event) => broker.publish(event), drain };
}
