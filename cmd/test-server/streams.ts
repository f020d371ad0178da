import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Handler, integerIn, sendJson } from './exchange.ts';

const BLOCK = Buffer.alloc(64 * 1024, 'heimdall ');
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The body goes back as it comes in, no faster than the client reads. */
export const echo: Handler = async ({ request, response }) => {
  const { 'content-type': type, 'content-length': length } = request.headers;
  response.writeHead(200, {
    'Content-Type': type ?? 'application/octet-stream',
    ...(length === undefined ? {} : { 'Content-Length': length }),
  });
  await pipeline(request, response);
};

export const upload: Handler = async ({ request, response }) => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of request) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  sendJson(response, 200, { bytes, sha256: hash.digest('hex') });
};

/** Holds one block in memory, however much is asked for. */
export const download: Handler = async ({ request, response, query }) => {
  const bytes = integerIn(query, 'bytes', 1024);
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes });
  if (request.method === 'HEAD') response.end();
  else await pipeline(Readable.from(blocks(bytes), { objectMode: false }), response);
};

function* blocks(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= BLOCK.length) yield left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK;
}

/** `count` chunks, one every `every` milliseconds; the head leaves before the first of them. */
export const stream: Handler = async ({ response, query }) => {
  const count = integerIn(query, 'count', 10);
  const every = integerIn(query, 'every', 100, 0, MAX_DELAY_MS);
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.flushHeaders();
  const signal = leaving(response);
  for (let index = 0; index < count; index++) {
    await sleep(every, undefined, { signal });
    if (!response.write(`chunk ${index}\n`)) await once(response, 'drain', { signal });
  }
  response.end();
};

/** Server-sent events until `count` is reached, the client leaves, or the backend stops. */
export const events: Handler = async ({ response, query, backend }) => {
  const count = integerIn(query, 'count', Number.MAX_SAFE_INTEGER);
  const every = integerIn(query, 'every', 1_000, 0, MAX_DELAY_MS);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  const left = leaving(response);
  const signal = AbortSignal.any([left, backend.stopping]);
  for (let index = 0; index < count && !signal.aborted; index++) {
    const data = JSON.stringify({ server: backend.name, index });
    if (!response.write(`id: ${index}\ndata: ${data}\n\n`)) await once(response, 'drain', { signal: left });
    await sleep(every, undefined, { signal }).catch(() => {}); // woken early to end, not to fail
  }
  response.end();
};

/** Announces more than it sends, then cuts the connection. */
export const truncate: Handler = ({ request, response }) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 1_000 });
  response.write('x'.repeat(500), () => request.socket.destroy());
};

/** Aborted once the response is over, which before its end means that the client has left. */
function leaving(response: ServerResponse): AbortSignal {
  const left = new AbortController();
  response.once('close', () => left.abort());
  return left.signal;
}
