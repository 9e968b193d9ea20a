import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Event } from 'fenceline/client';
import { App, type Shown } from './components.ts';

const event = (key: string): Event => ({
  topic: 'Order',
  type: 'OrderMoved',
  key,
  namespace: 'default',
  filterKeys: [],
  index: 1,
  payload: { step: 'placed' },
});
const initial = { events: [event('o-1'), event('o-2')], index: 7, epoch: 'e' };
const render = (shown: Shown): string => renderToString(createElement(App, shown));

afterEach(() => vi.unstubAllGlobals());

describe('the hooks on a server', () => {
  it('ask no server, and render what they begin with', async () => {
    const asked: unknown[] = [];
    vi.stubGlobal('fetch', (url: unknown) => asked.push(url));
    const html = render({
      state: { topics: ['Order'], initial },
      stream: { topics: ['Order'], initial, maxEvents: 1 },
    });
    expect(html.match(/<li>.*?<\/li>/g)).toEqual(['<li>o-2 placed</li>', '<li>o-1 placed</li>', '<li>o-2 placed</li>']);
    expect(html).toContain('<p class="status">connecting</p>');
    // What a stream does first, it does in a microtask.
    await new Promise(setImmediate);
    expect(asked).toEqual([]);
  });

  it('are connecting with nothing to begin with, and idle where they are not enabled', () => {
    expect(render({ state: {} })).toContain('<p class="status">connecting</p>');
    expect(render({ state: { enabled: false } })).toContain('<p class="status">idle</p>');
  });
});

describe('what a program without types may give', () => {
  const stream = (options: object) => () => render({ stream: options });
  const state = (options: object) => () => render({ state: options });

  it.each([
    [stream({ topic: ['Order'] }), 'useEventStream has no option "topic". Did you mean "topics"?'],
    [state({ snapshot: () => undefined }), 'useEventState has no option "snapshot".'],
    [state({ maxEvents: 3 }), 'useEventState has no option "maxEvents".'],
    [stream({ onState: () => undefined }), 'useEventStream has no option "onState".'],
    [stream({ maxEvents: -1 }), 'useEventStream: maxEvents must be a whole number, 0 or more; got -1.'],
    [stream({ enabled: 'no' }), 'useEventStream: enabled must be true or false; got "no".'],
    [state({ onGap: () => undefined }), "useEventState: onGap must be 'continue' or 'fail'; got"],
    [
      state({ initial: [] }),
      'useEventState: initial must be { events, index, epoch }, such as broker.state() answers.',
    ],
    [state({ initial, index: 3 }), 'useEventState: initial and index exclude each other'],
  ])('is refused where it stands: %#', (renders, message) => {
    expect(renders).toThrow(TypeError);
    expect(renders).toThrow(message);
  });
});
