import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { longBodyPart } from '../support/long-body.ts';
import { eventually } from '../support/e2e-wait.ts';

/** Longer than a load balancer keeps an idle connection. */
const KEEP_ALIVE_MS = 75_000;
const PIECE = 64 * 1024;
/** For requests that were on their way when the last one ended. */
const GRACE_MS = 500;
const SLOW_MS = 5;

/**
 * A backend that gives octets, gives back what it gets, in a request or in a tunnel, and goes only when nobody needs it.
 * - `GET /octets?from=…&length=…`, with `&chunked` in chunks
 * - any method to `/echo`: the body comes back, framed as it came; with `?slowly` not as fast as it could
 */
export class SoakBackend {
  readonly port: number;
  readonly #server: Server;
  readonly #onStrange: (what: string) => void;
  #active = 0;

  private constructor(server: Server, port: number, onStrange: (what: string) => void) {
    this.#server = server;
    this.port = port;
    this.#onStrange = onStrange;
    server.on('request', (request, response) => void this.#answer(request, response));
    server.on('upgrade', (_request, socket, head) => this.#tunnel(socket, head));
  }

  /** @param onStrange - called with what no client has asked for. */
  static async start(port: number, onStrange: (what: string) => void): Promise<SoakBackend> {
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new SoakBackend(server, port, onStrange);
  }

  /** To be called when nobody new is sent here: waits until the last one has gone. */
  async stop(): Promise<void> {
    await eventually(
      () => `${this.#active} requests end`,
      () => this.#active === 0,
      60_000,
    );
    await sleep(GRACE_MS);
    await eventually(
      () => `${this.#active} late requests end`,
      () => this.#active === 0,
      60_000,
    );
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#active += 1;
    response.once('close', () => {
      this.#active -= 1;
    });
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://backend');
    try {
      if (pathname === '/health') response.end('ok');
      else if (pathname === '/echo') await giveBack(request, response, searchParams.has('slowly'));
      else if (pathname === '/octets') await give(searchParams, response);
      else {
        this.#onStrange(`${request.method} ${request.url}`);
        response.writeHead(404).end();
      }
    } catch {
      response.destroy(); // the client has left in the middle
    }
  }

  #tunnel(socket: Duplex, head: Buffer): void {
    this.#active += 1;
    socket.once('close', () => {
      this.#active -= 1;
    });
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.write(head);
    socket.pipe(socket);
  }
}

async function giveBack(request: IncomingMessage, response: ServerResponse, slowly: boolean): Promise<void> {
  const length = request.headers['content-length'];
  response.writeHead(200, length === undefined ? {} : { 'Content-Length': length });
  for await (const chunk of request) {
    await write(response, chunk);
    if (slowly) await sleep(SLOW_MS);
  }
  response.end();
}

async function give(query: URLSearchParams, response: ServerResponse): Promise<void> {
  const from = Number(query.get('from'));
  const length = Number(query.get('length'));
  response.writeHead(200, query.has('chunked') ? {} : { 'Content-Length': length });
  for (let sent = 0; sent < length; sent += PIECE) {
    await write(response, longBodyPart(from + sent, Math.min(PIECE, length - sent)));
  }
  response.end();
}

async function write(response: ServerResponse, chunk: Buffer): Promise<void> {
  if (response.destroyed) throw new Error('the client has left');
  if (response.write(chunk)) return;
  const left = new AbortController();
  const leave = () => left.abort();
  response.once('close', leave);
  await once(response, 'drain', { signal: left.signal });
  response.off('close', leave);
}
