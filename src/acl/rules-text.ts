import { BrokerError } from '../model/errors.ts';

/**
 * Reads rules from text. Of two members with one name in one JSON object, the last counts, as everywhere in JavaScript.
 * @param readOther reads what is not JSON
 */
export function readRulesText(
  text: string,
  readOther: ((text: string) => object | Promise<object>) | undefined,
): object | Promise<object> {
  const start = text.trimStart();
  if (start === '') return {};
  if (start.startsWith('{')) return parseJson(text);
  if (readOther !== undefined) return readOther(text);
  throw new BrokerError(
    'not_supported',
    'policy rules are text that is not JSON: it takes rights that can read it, given as { rights }; ' +
      'nomadRights of fenceline/nomad read Nomad’s. Rules as an object or as JSON need none.',
  );
}

function parseJson(text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    const { message } = cause as SyntaxError;
    throw new BrokerError('bad_request', `policy rules are not well-formed JSON: ${message}`, { cause });
  }
}
