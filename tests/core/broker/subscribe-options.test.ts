import { describe, expect, it, onTestFinished } from 'vitest';
import { Acl, EventBroker, type BrokerError, type EventBrokerOptions, type SubscribeOptions } from 'fenceline';

function open(options: unknown, brokerOptions: EventBrokerOptions = {}) {
  const broker = new EventBroker(brokerOptions);
  onTestFinished(() => broker.close());
  return broker.subscribe(options as SubscribeOptions);
}

async function failure(options: unknown, brokerOptions: EventBrokerOptions = {}): Promise<BrokerError> {
  const found: unknown = await open(options, brokerOptions).catch((error: unknown) => error);
  if (!(found instanceof Error)) throw new Error('It was opened.');
  return found as BrokerError;
}

describe('subscribe', () => {
  it.each<[unknown, string, string]>([
    [{ onGap: 'stop' }, 'bad_request', 'onGap must be "continue" or "fail"; got "stop".'],
    [{ onGap: null }, 'bad_request', 'onGap must be "continue" or "fail"; got null.'],
    [{ state: 'yes' }, 'bad_request', 'state must be true or false; got "yes".'],
    [
      { state: true, index: 'latest' },
      'bad_request',
      'state needs an index: 0 for all of it, or one to go on from; got "latest".',
    ],
    [{ mark: 'abc.1' }, 'bad_request', 'mark needs state.'],
    [{ mark: 'abc.1', state: false }, 'bad_request', 'mark needs state.'],
    [{ mark: '!', state: true }, 'bad_request', 'mark must be one that a stream of a state gave; got "!".'],
    [{ index: -1 }, 'bad_request', 'index must be a whole number from 0 to 9007199254740991; got -1.'],
    [{ index: '1' }, 'bad_request', 'index must be a whole number from 0 to 9007199254740991; got "1".'],
    [{ index: 1n }, 'bad_request', 'index must be a whole number from 0 to 9007199254740991; got 1n.'],
    [{ index: 'newest' }, 'bad_request', 'index must be a whole number from 0 to 9007199254740991; got "newest".'],
    [{ token: 7 }, 'bad_request', 'token must be a string.'],
    [{ token: null }, 'bad_request', 'token must be a string.'],
    [{ acl: {} }, 'TypeError', 'acl must be an Acl, or a function that answers with one; got a value of type object.'],
    [{ acl: null }, 'TypeError', 'acl must be an Acl, or a function that answers with one; got null.'],
    [{ acl: 'management' }, 'TypeError', 'acl must be an Acl, or a function that answers with one; got "management".'],
    [
      { acl: Acl.management, token: 'x' },
      'TypeError',
      'subscribe takes acl or token, one of them: both say whose rights count.',
    ],
    [{ topic: ['x'] }, 'TypeError', 'subscribe has no option "topic". Did you mean "topics"?'],
    ['x', 'TypeError', 'subscribe takes an object of options; got "x".'],
  ])('refuses %o', async (options, code, message) => {
    const error = await failure(options);
    expect([code === 'TypeError' ? error.name : error.code, error.message.slice(0, message.length)]).toEqual([
      code,
      message,
    ]);
  });

  it('takes the newest, one past it, and state, as they are meant', async () => {
    for (const options of [
      { index: 'latest' },
      { index: 0 },
      { index: 1 },
      { state: true },
      { state: true, index: 1 },
      { onGap: 'fail' },
    ])
      expect((await open(options)).state, JSON.stringify(options)).toBe('synced');
  });

  it('hides from a client what a function of the host’s has found wrongly', async () => {
    for (const token of [() => 7, () => null, async () => ({})]) {
      const error = await failure({ token });
      expect(error.code).toBe('internal');
      expect(error.cause).toMatchObject({
        name: 'TypeError',
        message: expect.stringMatching(/^token must find a text or undefined; got /) as unknown,
      });
    }
    expect((await open({ token: () => undefined })).state).toBe('synced');
    expect((await open({ token: async () => 'secret' })).state).toBe('synced');
  });

  it('gives the reason of a signal that was aborted before', async () => {
    const error = await failure({ signal: AbortSignal.abort(new Error('gone')), token: () => 'never asked' });
    expect(error.message).toBe('gone');
  });

  it('may ask for just so many topics with their keys', async () => {
    const limits = { topicsPerRequest: 2 };
    await open({ topics: ['Job:a', 'Job:b'] }, { limits });
    await open({ topics: ['Job:a', 'Job:b', 'Job'] }, { limits });
    expect(await failure({ topics: ['Job:a', 'Job:b', 'Node'] }, { limits })).toMatchObject({
      code: 'bad_request',
      limit: 'topicsPerRequest',
      message: expect.stringContaining('at most 2 topics with their keys, not 3') as unknown,
    });
  });

  it('may ask for just so many pairs of namespace and topic', async () => {
    const limits = { placesPerRequest: 6 };
    await open({ topics: ['Job:a', 'Job:b', 'Node'], namespace: ['x', 'y'] }, { limits });
    expect(await failure({ topics: ['Job', 'Node'], namespace: ['x', 'y', 'z', 'w'] }, { limits })).toMatchObject({
      code: 'bad_request',
      limit: 'placesPerRequest',
      message: expect.stringContaining('at most 6 pairs of namespace and topic, not 8') as unknown,
    });
  });
});
