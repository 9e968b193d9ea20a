import { describe, expect, it } from 'vitest';
import { Notifications } from '../../../src/core/broker/notifications.ts';

interface Told {
  news: (text: string) => void;
  error: (error: unknown) => void;
}

const fail = (): never => {
  throw new Error('of a listener');
};

describe('notifications', () => {
  it('reach every listener although one throws, and do not throw into the teller', () => {
    const emitter = new Notifications<Told>();
    const heard: string[] = [];
    emitter.on('news', (text) => heard.push(`1 ${text}`));
    emitter.on('news', fail);
    emitter.on('news', (text) => heard.push(`2 ${text}`));
    expect(emitter.emit('news', 'x')).toBe(true);
    expect(heard).toEqual(['1 x', '2 x']);
    expect(emitter.listenerErrors).toBe(1);
  });

  it('tell what a listener threw to those who listen for errors', () => {
    const emitter = new Notifications<Told>();
    const errors: unknown[] = [];
    emitter.on('news', fail);
    emitter.on('error', (error) => errors.push(error));
    emitter.emit('news', 'x');
    expect(errors).toEqual([new Error('of a listener')]);
  });

  it('do not go round in circles when a listener for errors throws', () => {
    const emitter = new Notifications<Told>();
    emitter.on('news', fail);
    emitter.on('error', fail);
    emitter.emit('news', 'x');
    expect(emitter.listenerErrors).toBe(2);
  });

  it('reach a listener for once a single time, also when it throws', () => {
    const emitter = new Notifications<Told>();
    const heard: string[] = [];
    emitter.once('news', (text) => heard.push(text));
    emitter.once('news', fail);
    emitter.emit('news', 'x');
    emitter.emit('news', 'y');
    expect(heard).toEqual(['x']);
    expect(emitter.listenerErrors).toBe(1);
    expect(emitter.listenerCount('news')).toBe(0);
  });

  it('go on reaching a function that listens for good, though it listened for once too', () => {
    const emitter = new Notifications<Told>();
    const heard: string[] = [];
    const hear = (text: string) => void heard.push(text);
    emitter.on('news', hear);
    emitter.once('news', hear);
    emitter.emit('news', 'x');
    emitter.emit('news', 'y');
    expect(heard).toEqual(['x', 'x', 'y']);
  });

  it('no longer reach a listener that was taken off, nor skip its neighbour', () => {
    const emitter = new Notifications<Told>();
    const heard: string[] = [];
    const own = () => {
      heard.push('own');
      emitter.off('news', own);
    };
    emitter.on('news', own);
    emitter.on('news', () => heard.push('neighbour'));
    emitter.emit('news', 'x');
    emitter.emit('news', 'y');
    expect(heard).toEqual(['own', 'neighbour', 'neighbour']);
  });

  it('keep the context of a listener, and say whether anybody listens', () => {
    const emitter = new Notifications<Told>();
    const context = { heard: '' };
    expect(emitter.emit('news', 'x')).toBe(false);
    emitter.on(
      'news',
      function (this: unknown, text) {
        (this as typeof context).heard = text;
      },
      context,
    );
    emitter.emit('news', 'y');
    expect(context.heard).toBe('y');
  });
});
