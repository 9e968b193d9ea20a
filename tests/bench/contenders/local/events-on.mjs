import { EventEmitter, on } from 'node:events';

export function create({ onEvent }) {
  const emitter = new EventEmitter();
  const read = async () => {
    for await (const [event] of on(emitter, 'event')) onEvent(event);
  };
  void read();
  return { publish: (event) => void emitter.emit('event', event) };
}
