import { describe, expect, it } from 'vitest';

import { readRulesText } from '../../src/acl/rules-text.ts';

describe('rules as text', () => {
  const readOther = (text: string): object => ({ other: text });

  it.each(['', ' ', '\n\t '])('without content are no rules: %j', (text) => {
    expect(readRulesText(text, undefined)).toEqual({});
    expect(readRulesText(text, readOther)).toEqual({});
  });

  it.each(['{"node":{}}', ' \n{"node":{}}', '{"node":{}} \n'])('are JSON where they begin with a brace: %j', (text) => {
    expect(readRulesText(text, readOther)).toEqual({ node: {} });
  });

  it('are else what the rights read, as it stands there', () => {
    expect(readRulesText(' node {} ', readOther)).toEqual({ other: ' node {} ' });
  });

  it('are not supported where nothing reads them', () => {
    expect(() => readRulesText('node {}', undefined)).toThrow(
      expect.objectContaining({ code: 'not_supported', message: expect.stringContaining('nomadRights') as string }),
    );
  });

  it('are refused where their JSON is not well-formed, with the reason', () => {
    expect(() => readRulesText('{"node":', readOther)).toThrow(
      expect.objectContaining({
        code: 'bad_request',
        message: expect.stringMatching(/^policy rules are not well-formed JSON: .*JSON/) as string,
        cause: expect.any(SyntaxError) as Error,
      }),
    );
  });
});
