import { describe, expect, it } from 'vitest';

import { loadOptionalPackage } from '../../src/model/optional-package.ts';

const failureOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

describe('an optional package', () => {
  it('is loaded where it is installed', async () => {
    const loaded = await loadOptionalPackage<{ createServer: unknown }>({ need: 'A server needs', name: 'node:http' });
    expect(loaded.createServer).toBeTypeOf('function');
  });

  it('that is not installed is named, with what to do', async () => {
    const wanted = { need: 'SomeLog needs', name: 'fenceline-no-such-package', version: '3' };
    const failure = await failureOf(loadOptionalPackage({ ...wanted, otherwise: 'MemoryLog needs no package.' }));
    expect(failure).toMatchObject({ code: 'not_supported', cause: expect.any(Error) as Error });
    expect((failure as Error).message).toBe(
      'SomeLog needs the package fenceline-no-such-package, which could not be loaded where this runs: ' +
        'npm install fenceline-no-such-package@3. MemoryLog needs no package.',
    );
  });
});
