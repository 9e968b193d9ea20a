// Text may be anybody's, and long. So each of these takes what does not close up to the end, where else a search from
// each of its beginnings would pass over all the rest; and each letter fits one alternative alone: where two do, text
// that does not close takes time that doubles with each.
const comment = String.raw`#[^\n]*|\/\/[^\n]*|\/\*(?:[\s\S]*?\*\/|[\s\S]*)`;
const heredoc = String.raw`<<-?\s*([A-Za-z_]\w*)\n(?:[\s\S]*?\n[ \t]*\1\b|[\s\S]*)`;
const quoted = String.raw`"(?:\\[\s\S]?|\$\{[^}]*(?:\}|$)|\$(?!\{)|[^"\\$])*(?:"|$)`;
/**
 * The name of a member or a block that follows a value on its line. A letter comes first: it is looked for in no time.
 */
const name = String.raw`(?=[A-Za-z_])(?<=["\]\w}][ \t]+)[\w-]+(?=[ \t]*(?:=(?!=)|(?:"[^"\n]*"[ \t]*)*\{))`;
/** A brace means nothing in the first three. */
const tokens = new RegExp(`${comment}|${heredoc}|${quoted}|[{}]|${name}`, 'g');

/**
 * HCL with each member and each brace on a line of its own. Nomad reads version 1, in which `node { policy = "read" }`
 * may hold another block on the same line; the parser reads version 2, which wants a line for each.
 */
export function onLinesOfTheirOwn(text: string): string {
  return text.replaceAll(tokens, (token: string) => {
    if (token === '{') return '{\n';
    if (token === '}') return '\n}\n';
    return /^[A-Za-z_]/.test(token) ? `\n${token}` : token;
  });
}
