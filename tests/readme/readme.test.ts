import { afterEach, describe, expect, it } from 'vitest';
import { RunningExample } from '../examples/run-example.ts';
import { parseCurl } from './curl.ts';
import { blocksOf, read } from './documents.ts';

const readme = read('README.md');
const running: RunningExample[] = [];
afterEach(() => running.splice(0).forEach((example) => example.kill()));

describe('the README', () => {
  it('is read in ten minutes', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(201);
  });

  it('begins with a program that has rights, and takes them away', () => {
    const [first] = blocksOf('README.md');
    expect(first?.file).toBe('server.mjs');
    expect(first?.code).toMatch(/acl: \w+/);
    expect(first?.code).toContain('broker.aclChanged(');
  });

  it('names the two commands, and the requests of the reference documentation', () => {
    expect(readme).toMatch(/^npm ci && npm start\b/m);
    expect(readme).toMatch(/^npm ci && npm test\b/m);
    for (const query of ['', '?namespace=*', '?index=100&topic=Evaluation', '?index=7&topic=Node'])
      expect(readme).toContain(`curl -sN 'http://127.0.0.1:4646/v1/event/stream${query}'`);
  });

  it('shows requests that `npm start` answers with events', async () => {
    const lines = readme.match(/^curl .*127\.0\.0\.1:4646\/v1.*$/gm) ?? [];
    expect(lines.length).toBeGreaterThan(4);
    const example = new RunningExample('01-event-stream', ['--port', '0']);
    running.push(example);
    const [, port = ''] = await example.printed(/127\.0\.0\.1:(\d+)\//);
    for (const line of lines) {
      const { url } = parseCurl(line.replace(/ \| head -\d+$/, ''));
      const response = await fetch(url.replace(':4646', `:${port}`));
      expect(await textUntil(response, '"Topic"')).toContain('"Events"');
    }
  });
});

async function textUntil(response: Response, part: string): Promise<string> {
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    if (text.includes(part)) break;
  }
  return text;
}
