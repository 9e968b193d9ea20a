import { describe, expect, it } from 'vitest';

import { hostAnswers } from '../../../src/core/broker/host-answers.ts';
import { BrokerError } from '../../../src/model/errors.ts';
import { VirtualClock } from '../../../src/testing/index.ts';
import { failureOf } from '../../conformance/reading.ts';

describe('what is asked of a function of the host', () => {
  it('is what it answers, at once or later', async () => {
    const ask = hostAnswers(new VirtualClock(), 100);
    expect(await ask(() => 'now')).toBe('now');
    expect(await ask(() => Promise.resolve('later'))).toBe('later');
  });

  it('fails as `internal` where it never answers: the host is told how long that was, the client is not', async () => {
    const clock = new VirtualClock();
    const failing = failureOf(() => hostAnswers(clock, 100)(() => new Promise(() => undefined)));
    await clock.advance(100);
    const error = await failing;
    expect(error).toMatchObject({
      code: 'internal',
      cause: { message: 'The host did not answer within 100 ms.' },
    });
    expect(error.message).not.toContain('100');
  });

  it('fails with a BrokerError as it is, and with anything else as the cause of `internal`', async () => {
    const ask = hostAnswers(new VirtualClock(), 100);
    const denied = new BrokerError('permission_denied', 'no');
    const refuse = (error: Error) => () => Promise.reject(error);
    expect(await failureOf(() => ask(refuse(denied)))).toBe(denied);
    expect(await failureOf(() => ask(refuse(new Error('of the host'))))).toMatchObject({
      code: 'internal',
      cause: { message: 'of the host' },
    });
  });
});
