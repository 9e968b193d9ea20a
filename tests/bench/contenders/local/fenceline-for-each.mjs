import { EventBroker } from 'fenceline';

export async function create({ onEvent }) {
  const broker = new EventBroker();
  const subscription = await broker.subscribe();
  void subscription.forEach(({ events }) => events.forEach(onEvent));
  return { publish: (event) => broker.publish(event) };
}
