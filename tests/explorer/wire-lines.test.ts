import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/client/index.ts';
import { curlCommand } from '../../src/explorer/page/curl.ts';
import type { Entry } from '../../src/explorer/page/entry.ts';
import { wireLines } from '../../src/explorer/page/wire-lines.ts';

const event = (index: number, key: string, filterKeys: readonly string[] = []): Entry => {
  const of: Event = { topic: 'T', type: 'Made', key, namespace: 'n', filterKeys, index, payload: { key } };
  return { kind: 'event', at: undefined, event: of };
};
const at = new Date();

describe('what is exported', () => {
  it('is as it stood in the stream: a batch a line, gaps where they were, troubles left out', () => {
    const entries: readonly Entry[] = [
      event(1, 'a', ['x']),
      event(1, 'b'),
      { kind: 'notice', at, tone: 'bad', text: 'cut off' },
      { kind: 'gap', at, gap: { from: 2, to: 4, reason: 'restarted', epoch: 'e' } },
      event(5, 'c'),
    ];
    const wire = (key: string, index: number, keys: readonly string[] | null) =>
      `{"Topic":"T","Type":"Made","Key":"${key}","Namespace":"n","FilterKeys":${JSON.stringify(keys)},` +
      `"Index":${index},"Payload":{"key":"${key}"}}`;
    expect(wireLines(entries).split('\n')).toEqual([
      `{"Index":1,"Events":[${wire('a', 1, ['x'])},${wire('b', 1, null)}]}`,
      '{"Gap":{"From":2,"To":4,"Reason":"restarted","Epoch":"e"},"Events":[]}',
      `{"Index":5,"Events":[${wire('c', 5, null)}]}`,
      '',
    ]);
  });
});

describe('the command for a terminal', () => {
  it('has a variable where the token has to be, if there is one, and quotes what a shell would read', () => {
    expect(curlCommand('https://host/s?a=1', false)).toBe("curl -sN 'https://host/s?a=1'");
    expect(curlCommand("https://host/$(x)'y", true)).toBe(
      String.raw`curl -sN -H "X-Nomad-Token: $TOKEN" 'https://host/$(x)'\''y'`,
    );
  });
});
