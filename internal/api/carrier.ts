import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler as Proxy } from 'http-proxy-middleware';
import type { Request, Response } from 'express';
import type { Nodes, Peer } from '../server/nodes.ts';
import { addressOf } from './caller.ts';
import { CARRIED_BY, CARRIED_FOR } from './carried.ts';
import { boundConnection, endWithManager, peerFault } from './peer-connection.ts';

/** What the guard of the other manager would take for a page of another origin: the one here has looked at it. */
const OF_BROWSERS = ['origin', 'referer', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'];
/** Of one connection alone (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'proxy-authenticate', 'te']);

/** A call on its way. */
interface Journey {
  readonly peer: Peer;
  readonly fail: (error: Error) => void;
  isConnected: boolean;
}

/**
 * Carries calls to the managers of other nodes as they came, and their answers back as they come: long waits and streams
 * included. The library sends; what the other manager answers is relayed here, as the library would hold the head of a
 * stream back until its first event.
 */
export class Carrier {
  readonly #self: string;
  readonly #nodes: Pick<Nodes, 'peer'>;
  readonly #journeys = new WeakMap<IncomingMessage, Journey>();
  #proxy: Promise<Proxy> | null = null;

  /** @param self - the name of this node. */
  constructor(self: string, nodes: Pick<Nodes, 'peer'>) {
    this.#self = self;
    this.#nodes = nodes;
  }

  /** Resolves when the answer is over. @throws {HeimdallError} NODE_AWAY, NODE_FAILED, while nothing is answered yet. */
  async carry(peer: Peer, request: Request, response: Response): Promise<void> {
    this.#proxy ??= this.#load();
    const proxy = await this.#proxy;
    const over = Promise.withResolvers<void>();
    const closed = () => over.resolve();
    response.once('close', closed);
    const journey: Journey = { peer, fail: over.reject, isConnected: false };
    this.#journeys.set(request, journey);
    request.url = request.originalUrl;
    delete request.headers.expect; // our own server has answered it, and with it the library would tell nobody that it begins
    try {
      await Promise.race([proxy(request, response, (error) => error && over.reject(error)), over.promise]);
      await over.promise;
    } catch (error) {
      throw peerFault(peer, error, journey.isConnected);
    } finally {
      response.off('close', closed);
    }
  }

  async #load(): Promise<Proxy> {
    const { createProxyMiddleware } = await import('http-proxy-middleware'); // most managers are alone
    return createProxyMiddleware({
      target: 'http://set.per.request.invalid',
      changeOrigin: true,
      selfHandleResponse: true,
      ejectPlugins: true,
      router: (request) => this.#journeyOf(request).peer.url,
      plugins: [
        (proxy) => {
          proxy.on('proxyReq', (call, request) => this.#begin(call, request));
          proxy.on('proxyRes', (answer, _request, response) => this.#relay(answer, response));
          proxy.on('error', (error, request) => request && this.#journeys.get(request)?.fail(error));
        },
      ],
    });
  }

  #begin(call: ClientRequest, request: IncomingMessage): void {
    const journey = this.#journeyOf(request);
    boundConnection(call, () => (journey.isConnected = true));
    endWithManager(call, journey.peer, this.#nodes);
    for (const name of OF_BROWSERS) call.removeHeader(name);
    call.setHeader(CARRIED_BY, this.#self);
    call.setHeader(CARRIED_FOR, addressOf(request));
  }

  #relay(answer: IncomingMessage, response: ServerResponse): void {
    response.statusCode = answer.statusCode ?? 502;
    for (const [name, value] of Object.entries(answer.headers)) {
      if (value !== undefined && !HOP_BY_HOP.has(name)) response.setHeader(name, value);
    }
    response.flushHeaders();
    answer.once('error', () => response.destroy()); // the client sees that something is missing
    response.once('close', () => answer.destroy());
    answer.pipe(response);
  }

  #journeyOf(request: IncomingMessage): Journey {
    const journey = this.#journeys.get(request);
    if (journey === undefined) throw new Error('a call reached the library without a journey');
    return journey;
  }
}
