import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type ListenOptions, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer } from '../../../pkg/sockets/http.ts';
import { descriptorOf } from '../../../pkg/sockets/descriptor.ts';
import { stopAccepting } from '../../../pkg/sockets/stop-accepting.ts';
import type { ClientSockets } from '../client-sockets.ts';
import type { Listener, ProxyTimeouts } from '../engine.ts';
import { valuesOf } from '../fields.ts';

/** Hard bound of Node's parser; the configured limit, which may change while we listen, is checked below it. */
export const MAX_HEAD_BYTES = 256 * 1024;
/** How often Node looks for connections that are too slow with their head; its default of 30 s makes the timeout meaningless. */
const SLOW_CHECK_MS = 1_000;
const CLOSE_CHECK_MS = 50;

const PARSE_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_INVALID_VERSION: 505,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
};

/** Who answers what a listener lets through; neither call may throw. */
export interface Receiver {
  readonly clients: ClientSockets;
  /** @param expectsContinue - the client waits for a 100 before it sends the body. */
  request(request: IncomingMessage, response: ServerResponse, from: HttpListener, expectsContinue: boolean): void;
  /** The connection is no longer Node's; whatever comes on it is the receiver's. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, from: HttpListener): void;
  /**
   * Something came that cannot be read.
   * @param refusal - which rule it broke.
   * @param isBody - of a request that was received.
   */
  unreadable(socket: Duplex, status: number, refusal: string, isBody: boolean): void;
}

/** One address with Node's HTTP server behind it, and the connections that came in on it. */
export class HttpListener implements Listener {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  /** Every open connection, with the responses that are still to be finished on it. */
  readonly #sockets = new Map<Duplex, Set<ServerResponse>>();
  #closing = false;
  #closed: Promise<void> | null = null;

  private constructor(server: Server, host: string, port: number) {
    this.#server = server;
    this.host = host;
    this.port = port;
  }

  /**
   * @param where - the address, or the descriptor of a socket that listens there already.
   * @throws when the address cannot be bound.
   */
  static async open(
    { host, port }: Pick<Listener, 'host' | 'port'>,
    where: ListenOptions | { readonly fd: number },
    timeouts: ProxyTimeouts,
    receiver: Receiver,
  ): Promise<HttpListener> {
    const server = createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      connectionsCheckingInterval: SLOW_CHECK_MS,
      requestTimeout: 0,
      requireHostHeader: false, // ours is an answer with words
      shouldUpgradeCallback: isWebSocket,
    });
    server.maxHeadersCount = 0; // Node would silently drop the fields beyond; ours is an error
    server.listen(where);
    await once(server, 'listening');
    const address = server.address();
    const bound = typeof address === 'object' && address !== null ? address.port : port;
    const listener = new HttpListener(server, host, bound);
    listener.setTimeouts(timeouts);
    listener.#receive(receiver);
    return listener;
  }

  get closing(): boolean {
    return this.#closing;
  }

  setTimeouts({ requestHead, keepAlive }: ProxyTimeouts): void {
    this.#server.headersTimeout = requestHead;
    this.#server.keepAliveTimeout = keepAlive;
  }

  async close(deadlineMs: number): Promise<void> {
    // A connection that falls idle later is not closed by `close()` alone.
    const sweep = setInterval(() => this.#server.closeIdleConnections(), CLOSE_CHECK_MS);
    const retired = this.retire(deadlineMs);
    this.#server.closeIdleConnections();
    await retired;
    clearInterval(sweep);
    this.#server.close(); // ends its timers
  }

  async retire(deadlineMs: number): Promise<void> {
    this.#closing = true;
    this.#closed ??= once(this.#server, 'close').then(() => {});
    stopAccepting(this.#server);
    const deadline = setTimeout(() => {
      for (const socket of this.#sockets.keys()) socket.destroy();
    }, deadlineMs);
    await this.#closed;
    clearTimeout(deadline);
  }

  async sockets(): Promise<readonly number[]> {
    return [descriptorOf(this.#server)];
  }

  #receive(receiver: Receiver): void {
    const server = this.#server;
    server.on('error', () => {}); // one connection that could not be accepted, for lack of descriptors: the next may be
    server.on('connection', (socket) => {
      this.#sockets.set(socket, new Set());
      receiver.clients.accepted(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        receiver.clients.closed(socket);
      });
    });
    const receive = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) => {
      const open = this.#sockets.get(request.socket);
      open?.add(response);
      response.once('close', () => open?.delete(response));
      receiver.request(request, response, this, expectsContinue);
    };
    server.on('request', (request, response) => receive(request, response, false));
    server.on('checkContinue', (request, response) => receive(request, response, true));
    server.on('upgrade', (request, socket, head) => {
      if (socket instanceof Socket) receiver.upgrade(request, socket, head, this);
      else socket.destroy();
    });
    server.on('connect', (_request, socket) => receiver.unreadable(socket, 501, 'connect-refused', false));
    server.on('clientError', (error, socket) => this.#refuseBroken(error, socket, receiver));
  }

  /**
   * What Node's parser refuses never becomes a request; the answer goes onto the bare connection, unless it would get
   * into the answer to an earlier request, or into one that has begun.
   */
  #refuseBroken(error: Error, socket: Duplex, receiver: Receiver): void {
    if (socket.writableEnded) return; // answered already: these are the bytes after what was refused
    const code = 'code' in error ? String(error.code) : '';
    const open = [...(this.#sockets.get(socket) ?? [])];
    const isTaken = open.some(({ req, headersSent }) => req.complete || headersSent);
    if (!socket.writable || isTaken || code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    receiver.unreadable(socket, PARSE_STATUS[code] ?? 400, code || error.message, open.length > 0);
    for (const { req } of open) req.destroy(); // it broke in its body: whoever got the beginning must not wait for the rest
  }
}

/**
 * Other protocols than WebSocket are not switched to, and neither is one with a body, whose end nobody would look for:
 * such a request is answered as an ordinary one (RFC 9110 §7.8).
 */
export function isWebSocket({ method, httpVersion, headers, rawHeaders }: IncomingMessage): boolean {
  const hasBody = valuesOf(rawHeaders, 'transfer-encoding').length > 0 || Number(headers['content-length'] ?? 0) !== 0;
  return method === 'GET' && httpVersion === '1.1' && headers.upgrade?.toLowerCase() === 'websocket' && !hasBody;
}
