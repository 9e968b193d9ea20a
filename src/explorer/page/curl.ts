/** What stands in a command where the token has to be: a variable of the shell. */
const TOKEN_HEADER = '-H "X-Nomad-Token: $TOKEN"';

/**
 * The request as a command for a terminal. The token itself is never in it: what is copied ends up in a chat, or in a
 * shell's history.
 * @param url the whole URL
 * @param takesToken the page sends one
 */
export function curlCommand(url: string, takesToken: boolean): string {
  return ['curl -sN', ...(takesToken ? [TOKEN_HEADER] : []), quoted(url)].join(' ');
}

/** Nothing means anything between single quotes but the quote itself. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
