import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Agent, request as send } from '../../pkg/sockets/http.ts';
import type { Phase } from './verdict.ts';

const SMALL = 2_000;
const LARGE = 1024 * 1024;
const LARGE_BODY = randomBytes(LARGE);
const LARGE_HASH = createHash('sha256').update(LARGE_BODY).digest('hex');
const SLOW_MS = 5_000;
const WEBSOCKET_MS = 3_000;
const PING_MS = 50;

/** An exchange broke, or its answer was wrong. */
export class VisitError extends Error {
  readonly phase: Phase;

  constructor(phase: Phase, message: string) {
    super(message);
    this.phase = phase;
  }
}

/** One kind of client, which does the same again and again. */
export interface Client {
  readonly kind: string;
  readonly isIdempotent: boolean;
  /** @throws {VisitError} */
  visit(port: number): Promise<void>;
  close(): void;
}

export function keepAliveClient(path: string, kind: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    kind,
    isIdempotent: true,
    visit: async (port) => void (await ask({ port, path, agent })),
    close: () => agent.destroy(),
  };
}

export function freshClient(path: string): Client {
  return {
    kind: 'GET, new connection each',
    isIdempotent: true,
    visit: async (port) => void (await ask({ port, path, agent: new Agent() })),
    close() {},
  };
}

export function slowClient(): Client {
  return { ...keepAliveClient(`/slow?ms=${SLOW_MS}`, 'GET that takes 5 s') };
}

export function downloadClient(): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    kind: 'GET of 1 MiB',
    isIdempotent: true,
    close: () => agent.destroy(),
    async visit(port) {
      const { length } = await ask({ port, path: `/download?bytes=${LARGE}`, agent });
      if (length !== LARGE) throw new VisitError('body', `${length} octets instead of ${LARGE}`);
    },
  };
}

export function postClient(): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let count = 0;
  return {
    kind: 'POST, small',
    isIdempotent: false,
    close: () => agent.destroy(),
    async visit(port) {
      count += 1;
      const body = Buffer.from(String(count).repeat(1 + (count % SMALL)));
      const echoed = await ask({ port, path: '/echo', method: 'POST', agent }, body);
      if (!echoed.equals(body)) throw new VisitError('body', 'another body came back');
    },
  };
}

export function uploadClient(): Client {
  return {
    kind: 'POST of 1 MiB',
    isIdempotent: false,
    close() {},
    async visit(port) {
      const answer = await ask({ port, path: '/upload', method: 'POST', agent: new Agent() }, LARGE_BODY);
      if (!answer.includes(LARGE_HASH))
        throw new VisitError('body', `another hash: ${answer.toString().slice(0, 200)}`);
    },
  };
}

/** Keeps the cookie that it gets, as browsers do. */
export function stickyClient(path: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let cookie: string | undefined;
  return {
    kind: 'GET, sticky',
    isIdempotent: true,
    close: () => agent.destroy(),
    async visit(port) {
      const headers = cookie === undefined ? {} : { cookie };
      await ask({ port, path, agent, headers }, undefined, (response) => {
        cookie = response.headers['set-cookie']?.[0]?.split(';')[0] ?? cookie;
      });
    },
  };
}

/** Says something every now and then, for a few seconds, and wants to hear it back. */
export function webSocketClient(): Client {
  return {
    kind: 'WebSocket',
    isIdempotent: false,
    close() {},
    async visit(port) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
      try {
        await talk(socket);
      } catch (error) {
        const isOpen = socket.readyState !== WebSocket.CONNECTING;
        throw new VisitError(isOpen ? 'websocket' : phaseOf(error), messageOf(error));
      } finally {
        socket.terminate();
      }
    },
  };
}

async function talk(socket: WebSocket): Promise<void> {
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // whoever waits hears of it
  socket.on('error', broken.reject);
  socket.on('close', (code) => broken.reject(new Error(`closed with ${code}`)));
  socket.on('unexpected-response', (_request, response) => broken.reject(new Error(`status ${response.statusCode}`)));
  await Promise.race([once(socket, 'open'), broken.promise]);
  const heard = new Set<string>();
  socket.on('message', (data) => heard.add(Buffer.isBuffer(data) ? data.toString() : ''));
  const end = performance.now() + WEBSOCKET_MS;
  for (let count = 0; performance.now() < end; count += 1) {
    const word = `word ${count}`;
    socket.send(word);
    const limit = performance.now() + 20_000;
    while (!heard.delete(word)) {
      await Promise.race([sleep(PING_MS), broken.promise]);
      if (performance.now() > limit) throw new Error('no echo for 20 s');
    }
  }
}

/** @throws {VisitError} unless the answer is a whole 200. */
async function ask(
  options: RequestOptions,
  body?: Buffer,
  onHead: (response: IncomingMessage) => void = () => {},
): Promise<Buffer> {
  const length = body === undefined ? {} : { 'content-length': body.length };
  const request = send({ host: '127.0.0.1', timeout: 60_000, ...options, headers: { ...options.headers, ...length } });
  request.on('timeout', () => request.destroy(new Error('no sign of life for 60 s')));
  let phase: Phase = 'head';
  try {
    const answered = once(request, 'response');
    request.end(body);
    const [response]: IncomingMessage[] = await answered;
    if (response === undefined) throw new Error('no answer');
    phase = 'body';
    onHead(response);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const whole = Buffer.concat(chunks);
    if (response.statusCode === 200) return whole;
    throw new VisitError('head', `status ${response.statusCode}: ${whole.toString().slice(0, 200)}`);
  } catch (error) {
    if (error instanceof VisitError) throw error;
    throw new VisitError(phase === 'head' ? phaseOf(error) : phase, messageOf(error));
  }
}

function phaseOf(error: unknown): Phase {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === 'ECONNREFUSED' ? 'connect' : 'head';
}

function messageOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? `${String(error.code)} ` : '';
  return `${code}${error instanceof Error ? error.message : String(error)}`;
}
