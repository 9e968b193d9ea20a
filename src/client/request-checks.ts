import { absolute } from './stream-request.ts';

/** @throws TypeError that says what of a request cannot be sent. It shows no URL, value or token: all may be secret. */
export function checkRequest(url: string | URL, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'X-Nomad-Token') checkToken(value);
    else checkHeader(name, value);
  }
  checkUrl(url);
}

function checkUrl(url: string | URL): void {
  let whole: URL | undefined;
  try {
    whole = absolute(url);
  } catch {
    // Said below, without the text of the URL.
  }
  if (!whole || !/^https?:$/.test(whole.protocol) || whole.username || whole.password)
    throw new TypeError(
      'The URL must be http or https, without user name and password; a relative one needs a page to be relative to.',
    );
}

function checkHeader(name: string, value: string): void {
  try {
    new Headers().set(name, value);
  } catch {
    throw new TypeError(`No header can carry the name or the value of headers[${JSON.stringify(name)}].`);
  }
}

function checkToken(token: string): void {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('The token has characters that no header can carry.');
}
