import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createNetServer, type AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';

import { chunkedFormat, frameChunk, rawSocketOf } from '../../src/adapters/chunked.ts';
import { ndjsonFormat } from '../../src/adapters/ndjson-format.ts';
import { sseFormat } from '../../src/adapters/sse-format.ts';
import { BrokerError } from '../../src/index.ts';

const SLAB_BYTES = 256 * 1024;

const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** What Node's own HTTP parser makes of the chunks. */
async function decoded(chunks: readonly Uint8Array[]): Promise<Buffer> {
  const server = createNetServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(head);
      for (const chunk of chunks) socket.write(chunk);
      socket.end('0\r\n\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [response] = (await once(request({ port, host: '127.0.0.1', agent: false }).end(), 'response')) as [
    IncomingMessage,
  ];
  server.close();
  return buffer(response);
}

/** Framed all at once before any is looked at: a slab that is used twice would show. */
async function expectDecoded(texts: readonly string[]): Promise<void> {
  const body = await decoded(texts.map((text) => frameChunk(text)));
  expect(body.equals(Buffer.from(texts.join('')))).toBe(true);
}

describe('frameChunk', () => {
  it('frames texts that an HTTP parser decodes to the same bytes', async () => {
    const text = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.constantFrom('\r\n', '0\r\n\r\n', '\r\n0\r\n', 'é', '😀', '\ud800', 'ÿ'),
    );
    await fc.assert(fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 40 }), expectDecoded), { numRuns: 30 });
  });

  it('frames large and small ones across the ends of many slabs', async () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: SLAB_BYTES / 4 - 20, max: SLAB_BYTES / 4 + 20 }),
      fc.integer({ min: SLAB_BYTES - 20, max: SLAB_BYTES + 20 }),
    );
    const letter = fc.constantFrom('x', 'é', '€', '😀');
    const texts = fc.array(fc.tuple(letter, size), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(texts, (made) => expectDecoded(made.map(([unit, count]) => unit.repeat(count)))),
      { numRuns: 10 },
    );
  });

  it('says the length in bytes, not in letters', () => {
    expect(Buffer.from(frameChunk('é😀')).toString()).toBe('6\r\né😀\r\n');
    expect(Buffer.from(frameChunk('x'.repeat(255))).toString('latin1', 0, 4)).toBe('ff\r\n');
  });

  it('never changes a chunk that was handed out', () => {
    const chunks = Array.from({ length: 2000 }, (_, n) => ({
      text: `${n}:${'é'.repeat(n % 700)}`,
      chunk: frameChunk(`${n}:${'é'.repeat(n % 700)}`),
    }));
    for (const { text, chunk } of chunks)
      expect(Buffer.from(chunk).toString()).toBe(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  });
});

describe('chunkedFormat', () => {
  it('is one object for each format, so that streams share their chunks', () => {
    expect(chunkedFormat(ndjsonFormat)).toBe(chunkedFormat(ndjsonFormat));
    expect(chunkedFormat(sseFormat('e'))).not.toBe(chunkedFormat(ndjsonFormat));
  });

  it.each([
    ['ndjson', ndjsonFormat],
    ['sse', sseFormat('e1')],
  ])('says the same as %s, framed', (_name, format) => {
    const chunked = chunkedFormat(format);
    const error = new BrokerError('closed', 'The broker is closed.');
    const gap = { from: 1, to: 2, reason: 'slow' } as const;
    expect(chunked.opening).toBe(format.opening);
    expect(chunked.batch({ index: 1, line: '{}' })).toBe(format.batch({ index: 1, line: '{}' }));
    expect(chunked.gap(gap)).toBe(format.gap(gap));
    expect(chunked.current?.(7)).toBe(format.current?.(7));
    expect(chunked.withView?.('v1').batch({ index: 1, line: '{}' })).toBe(
      (format.withView?.('v1') ?? format).batch({ index: 1, line: '{}' }),
    );
    expect(chunked.heartbeat(3)).toBe(format.heartbeat(3));
    expect(chunked.error(error)).toBe(format.error(error));
    expect(Buffer.from(chunked.encode('{}\n')).toString()).toBe('3\r\n{}\n\r\n');
  });

  it('names the view of a state as the format does', () => {
    const inView = chunkedFormat(sseFormat('e1')).withView?.('v');
    expect(inView).toBe(chunkedFormat(sseFormat('e1').withView?.('v') ?? sseFormat('e1')));
    expect(chunkedFormat(ndjsonFormat).withView?.('v')).toBe(chunkedFormat(ndjsonFormat));
  });
});

describe('rawSocketOf', () => {
  /** What it says of a response of a real server, after `prepare`. */
  async function saidOf(prepare: (response: ServerResponse) => void, version = '1.1'): Promise<boolean> {
    const said = new Promise<boolean>((resolve) => {
      const server = createServer((_request, response) => {
        prepare(response);
        resolve(rawSocketOf(response) === response.socket && response.socket !== null);
        response.destroy();
      }).listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        socket.write(`GET / HTTP/${version}\r\nHost: x\r\n\r\n`);
      });
      onTestFinished(() => void server.close());
    });
    return said;
  }

  it('is the socket of a plain response in chunks whose headers were sent', async () => {
    expect(await saidOf((response) => response.writeHead(200).flushHeaders())).toBe(true);
  });

  it('is nothing where the response must not be passed by', async () => {
    expect(await saidOf(() => undefined)).toBe(false);
    expect(await saidOf((response) => response.writeHead(200).flushHeaders(), '1.0')).toBe(false);
    expect(await saidOf((response) => response.writeHead(200, { 'Content-Length': 5 }).flushHeaders())).toBe(false);
    expect(
      await saidOf((response) => {
        response.write = response.write.bind(response);
        response.writeHead(200).flushHeaders();
      }),
    ).toBe(false);
    expect(
      await saidOf((response) => {
        response.end = response.end.bind(response) as typeof response.end;
        response.writeHead(200).flushHeaders();
      }),
    ).toBe(false);
    expect(rawSocketOf(new Duplex())).toBeUndefined();
  });
});
