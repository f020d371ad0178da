import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { Agent, request } from '../../pkg/sockets/http.ts';

/** Of silence. Some answers take as long as a process takes to start, on a machine that does much else. */
const TIMEOUT_MS = 60_000;

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Our end of the connection: tells whether two requests went over the same one. */
  readonly localPort: number | undefined;
}

/** One request; rejects when the answer does not come in whole. */
export async function ask(url: string, { method = 'GET', headers = {}, body, agent }: Ask = {}): Promise<Answer> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const message = request(url, {
    method,
    agent: agent ?? new Agent(),
    headers: {
      ...headers,
      ...(payload === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(payload)) }),
    },
    timeout: TIMEOUT_MS,
  });
  message.on('timeout', () => message.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
  message.on('error', reject);
  message.on('response', (response) => {
    const { statusCode: status = 0, headers: fields, socket } = response;
    const { localPort } = socket;
    text(response).then((received) => resolve({ status, headers: fields, body: received, localPort }), reject);
  });
  message.end(payload);
  return promise;
}
