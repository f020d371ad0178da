import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from '../sockets/http.ts';
import type { TargetGuard } from './target-guard.ts';

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Whom the URL must not lead to; null: anybody. */
  readonly guard: TargetGuard | null;
}

export interface PostAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** Of its body, when it is a refusal: no more is read, it may have no end. */
  readonly beginning: string;
}

/** Octets of a refusal that are read. */
const READ_OCTETS = 1_024;

/** Sends one request on a connection of its own, and follows no redirect. @throws what the network or the guard says. */
export async function post(url: string, body: string, { headers, signal, guard }: PostOptions): Promise<PostAnswer> {
  const { protocol, hostname } = new URL(url);
  guard?.checkAddress(hostname); // which is never looked up
  const { request: send } = protocol === 'https:' ? await import('node:https') : { request: httpRequest };
  const request = send(url, {
    method: 'POST',
    agent: false,
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    signal,
    ...(guard && { lookup: guard.lookup }),
  });
  const answered = once(request, 'response', { signal }); // after a 101 there is neither that nor an error
  request.end(body);
  const [response]: IncomingMessage[] = await answered;
  if (response === undefined) throw new Error('no answer');
  const { statusCode: status = 0 } = response;
  try {
    const beginning = status >= 200 && status < 300 ? '' : await beginningOf(response);
    return { status, retryAfter: response.headers['retry-after'] ?? null, beginning };
  } finally {
    request.on('error', () => {}); // it is of no interest how the connection ends
    response.destroy();
  }
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= READ_OCTETS) break;
  }
  return Buffer.concat(chunks).toString().slice(0, READ_OCTETS);
}
