import { EventBroker } from 'fenceline';

export async function create({ onEvent }) {
  const broker = new EventBroker();
  const subscription = await broker.subscribe();
  const read = async () => {
    for await (const { events } of subscription) for (const event of events) onEvent(event);
  };
  void read();
  return { publish: (event) => broker.publish(event) };
}
