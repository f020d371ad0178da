import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createProxyMiddleware, type RequestHandler } from 'http-proxy-middleware';
import type { Attempt } from './attempt.ts';

/**
 * http-proxy-middleware, told for every single request where to go. It sends the request and its body; relaying the
 * response is ours (`selfHandleResponse`), because the library loses repeated fields, interim responses and trailers.
 */
export class ProxyLibrary {
  readonly #attempts = new WeakMap<IncomingMessage, Attempt>();
  readonly #handler: RequestHandler;

  constructor() {
    this.#handler = createProxyMiddleware({
      target: 'http://set.per.request.invalid',
      selfHandleResponse: true,
      ejectPlugins: true,
      router: (request, _response, options) => {
        const { route } = this.#attemptOf(request);
        options.agent = route.agent;
        if (route.body !== null) options.buffer = route.body;
        return route.url;
      },
      plugins: [
        (proxy) => {
          proxy.on('proxyReq', (upstream, request) => {
            const attempt = this.#attemptOf(request);
            upstream.on('information', (info) => attempt.owner.information?.(info));
            attempt.begin(upstream);
          });
          proxy.on('proxyRes', (upstream, request, response) => {
            const attempt = this.#attemptOf(request);
            attempt.head(upstream);
            attempt.owner.response?.(attempt, upstream, response);
          });
          proxy.on('proxyReqWs', (upstream, request) => {
            const attempt = this.#attemptOf(request);
            upstream.once('socket', () => attempt.begin(upstream));
            const answered = (response: IncomingMessage) => {
              attempt.head(response);
              attempt.owner.upgraded?.(attempt, response);
            };
            upstream.once('upgrade', answered).once('response', answered);
          });
          proxy.on('error', (error, request) => {
            const attempt = request && this.#attempts.get(request);
            if (request?.socket.destroyed) attempt?.abandon();
            else attempt?.fail(error);
          });
          proxy.on('econnreset', (_error, request) => this.#attempts.get(request)?.abandon());
        },
      ],
    });
  }

  /** Runs one attempt; resolves when the response is over, or when the attempt failed. */
  async send(attempt: Attempt, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#attempts.set(request, attempt);
    await this.#handler(request, response, (error) => attempt.fail(error ?? new Error('not proxied')));
  }

  upgrade(attempt: Attempt, request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#attempts.set(request, attempt);
    this.#handler.upgrade(request, socket, head);
  }

  #attemptOf(request: IncomingMessage): Attempt {
    const attempt = this.#attempts.get(request);
    if (attempt === undefined) throw new Error('a request reached the library without an attempt');
    return attempt;
  }
}
