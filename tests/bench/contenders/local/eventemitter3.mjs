import { EventEmitter } from 'eventemitter3';

export function create({ onEvent }) {
  const emitter = new EventEmitter();
  emitter.on('event', onEvent);
  return { publish: (event) => void emitter.emit('event', event) };
}
