import { ndjsonFormat } from '../../src/adapters/ndjson-format.ts';
import type { ByteSink } from '../../src/core/delivery/byte-sink.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import { type NewNomadEvent, nomadTopics } from '../../src/nomad/index.ts';

/** The batch that a reader of the wire gets of these events, published as one. */
export async function lineOf(events: readonly NewNomadEvent[], index: number | undefined): Promise<unknown> {
  const broker = new EventBroker({ topics: nomadTopics });
  const subscription = await broker.subscribe({ namespace: '*' });
  const decoder = new TextDecoder();
  let text = '';
  const sink: ByteSink = {
    write: (chunk) => {
      text += decoder.decode(chunk, { stream: true });
      return true;
    },
    end: () => undefined,
  };
  subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
  await broker.publish(events, index === undefined ? {} : { index });
  await broker.close();
  return JSON.parse(text.split('\n').find((line) => line.includes('"Events":[{')) ?? 'null');
}
