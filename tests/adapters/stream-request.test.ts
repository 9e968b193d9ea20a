import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseStreamRequest } from '../../src/adapters/stream-request.ts';
import { BrokerError } from '../../src/index.ts';

/** The code and the message with which a request is refused. */
function refusal(query: string): { readonly code: string; readonly message: string } {
  try {
    parseStreamRequest(`/v1/event/stream?${query}`);
  } catch (error) {
    if (BrokerError.is(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error(`${query} is not refused`);
}

const parse = (query: string) => parseStreamRequest(`/v1/event/stream?${query}`);

const defaults = { topics: [], index: 0, onGap: 'continue', bookmarks: false };

describe('parseStreamRequest', () => {
  it('has a default for each parameter, but for the namespace: which that is, the broker says', () => {
    for (const url of ['/', '/v1/event/stream', '/?', '/?&&', '', 'http://host:4646/v1/event/stream'])
      expect(parseStreamRequest(url)).toEqual(defaults);
  });

  it('reads each parameter', () => {
    expect(parse('topic=Job:web&topic=Node&namespace=prod&index=7&epoch=e1&gap=fail&bookmarks=true')).toEqual({
      topics: ['Job:web', 'Node'],
      namespace: ['prod'],
      index: 7,
      epoch: 'e1',
      onGap: 'fail',
      bookmarks: true,
    });
  });

  it('reads the query of a whole URL, up to its fragment', () => {
    expect(parseStreamRequest('https://host/x?index=3#index=4&topic=Job')).toEqual({ ...defaults, index: 3 });
    expect(parseStreamRequest('/x#?index=4')).toEqual(defaults);
  });

  it('keeps the order of topics and of namespaces that are repeated', () => {
    expect(parse('topic=B&namespace=y&topic=A&namespace=x&topic=B')).toMatchObject({
      topics: ['B', 'A', 'B'],
      namespace: ['y', 'x'],
    });
  });

  it('decodes percent-escapes and plus signs, in names too', () => {
    expect(parse('top%69c=Job:a%2Fb%26c%3Dd+e%2B%C3%A9')).toMatchObject({ topics: ['Job:a/b&c=d e+é'] });
  });

  it('takes only the first equals sign of a parameter for its separator', () => {
    expect(parse('topic=Job:a=b')).toMatchObject({ topics: ['Job:a=b'] });
  });

  it('ignores parameters that it does not know, Nomad’s own among them', () => {
    expect(parse('region=global&stale&pretty=1&wait=5s&Topic=x&__proto__=1')).toEqual(defaults);
  });

  it('takes each whole number, and latest, for an index', () => {
    expect(parse('index=0').index).toBe(0);
    expect(parse('index=007').index).toBe(7);
    expect(parse(`index=${Number.MAX_SAFE_INTEGER}`).index).toBe(Number.MAX_SAFE_INTEGER);
    expect(parse('index=latest').index).toBe('latest');
  });

  it.each(['-1', '1.5', '1e3', '0x10', ' 1', '1 ', 'Latest', 'NaN', 'Infinity', '9'.repeat(31), '٣', '1_0'])(
    'refuses the index %j, and says what is allowed',
    (index) => {
      expect(refusal(`index=${encodeURIComponent(index)}`)).toEqual({
        code: 'bad_request',
        message: `Parameter index must be a whole number from 0 to 9007199254740991, or "latest"; got ${JSON.stringify(index)}.`,
      });
    },
  );

  it('takes an empty index, namespace or epoch for an absent one, as Nomad does', () => {
    expect(parse('index=&namespace=&epoch=')).toEqual(defaults);
    expect(parse('namespace=&namespace=prod')).toEqual({ ...defaults, namespace: ['prod'] });
  });

  it.each(['9007199254740992', '9223372036854775807', '99999999999999999999'])(
    'takes the index %s, which none can have, for "latest": so people ask for what comes from now on',
    (index) => {
      expect(parse(`index=${index}`)).toEqual({ ...defaults, index: 'latest' });
    },
  );

  it.each(['lastEventId', 'last-event-id', 'Last-Event-ID'])('finds the id of the last event under %s', (name) => {
    expect(parse(`${name}=e%3A7`)).toEqual({ ...defaults, lastEventId: 'e:7' });
  });

  it.each([
    ['gap=FAIL', 'Parameter gap must be continue or fail; got "FAIL".'],
    ['gap', 'Parameter gap must be continue or fail; got "".'],
    ['bookmarks=1', 'Parameter bookmarks must be false or true; got "1".'],
    ['bookmarks=', 'Parameter bookmarks must be false or true; got "".'],
  ])('refuses %s, and says what is allowed', (query, message) => {
    expect(refusal(query)).toEqual({ code: 'bad_request', message });
  });

  it.each(['index', 'epoch', 'gap', 'bookmarks'])('refuses %s given twice, by name, even where both agree', (name) => {
    const value = { index: '1', epoch: 'e', gap: 'fail', bookmarks: 'true' }[name];
    expect(refusal(`${name}=${value}&topic=Job&${name}=${value}`)).toEqual({
      code: 'bad_request',
      message: `Parameter ${name} is given 2 times; it may stand once.`,
    });
  });

  it.each(['topic=%', 'topic=%E0%A4%A', 'topic=%zz', '%ff=1', 'unknown=%C3%28'])(
    'refuses the malformed percent-escape in %s',
    (query) => {
      expect(refusal(query).code).toBe('bad_request');
      expect(refusal(query).message).toContain('malformed percent-escape');
    },
  );

  it('refuses more parameters than the bound, and says the bound', () => {
    const topics = (count: number) => Array.from({ length: count }, (_, n) => `topic=T${n}`).join('&');
    expect(parse(topics(1000)).topics).toHaveLength(1000);
    expect(refusal(topics(1001)).message).toBe('The query has 1001 parameters; at most 1000 are allowed.');
  });

  it('cuts a long value in its message', () => {
    expect(refusal(`index=${'9'.repeat(10_000)}`).message.length).toBeLessThan(300);
  });

  it('gives back what any encoder of queries wrote', () => {
    const texts = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 });
    fc.assert(
      fc.property(texts, texts, fc.maxSafeNat(), fc.option(fc.string()), (topics, namespaces, index, epoch) => {
        const query = new URLSearchParams({ index: String(index), ...(epoch === null ? {} : { epoch }) });
        for (const topic of topics) query.append('topic', topic);
        for (const namespace of namespaces) query.append('namespace', namespace);
        expect(parse(String(query))).toEqual({
          ...defaults,
          topics,
          ...(namespaces.some((name) => name !== '') ? { namespace: namespaces.filter((name) => name !== '') } : {}),
          index,
          ...(epoch ? { epoch } : {}),
        });
      }),
    );
  });

  it('answers any text with a request or a refusal, never with another failure', () => {
    const pieces = fc.constantFrom('?', '&', '=', '%', '#', '+', '%2', '%41', 'topic', 'index', '1', '-', 'é', '\0');
    fc.assert(
      fc.property(
        fc.array(pieces).map((parts) => parts.join('')),
        (url) => {
          try {
            expect(parseStreamRequest(url).onGap).toMatch(/continue|fail/);
          } catch (error) {
            expect(BrokerError.is(error) && error.code).toBe('bad_request');
          }
        },
      ),
    );
  });
});
