import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createProxyMiddleware, type RequestHandler } from 'http-proxy-middleware';
import type { Attempt } from './attempt.ts';
import { responseFault } from './response-check.ts';

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
        request.url = route.target;
        return route.url;
      },
      plugins: [
        (proxy) => {
          proxy.on('proxyReq', (upstream, request) => this.#sending(this.#attemptOf(request), upstream));
          proxy.on('proxyRes', (upstream, request, response) => {
            answered(this.#attemptOf(request), upstream, response);
          });
          proxy.on('proxyReqWs', (upstream, request) => {
            const attempt = this.#attemptOf(request);
            upstream.once('socket', () => attempt.begin(upstream));
            const upgraded = (response: IncomingMessage) => {
              attempt.head(response);
              attempt.owner.upgraded?.(attempt, response);
            };
            upstream.once('upgrade', upgraded).once('response', upgraded);
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
    this.#begin(attempt, request);
    const handled = this.#handler(request, response, (error) => attempt.fail(error ?? new Error('not proxied')));
    await Promise.race([handled, attempt.broken]);
  }

  upgrade(attempt: Attempt, request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#begin(attempt, request);
    this.#handler.upgrade(request, socket, head);
  }

  #begin(attempt: Attempt, request: IncomingMessage): void {
    this.#attempts.set(request, attempt);
    // The library first parses this as a URL and gives up on a target such as `//[`; the router puts the target back.
    request.url = '/';
  }

  #sending(attempt: Attempt, upstream: ClientRequest): void {
    upstream.on('information', (info) => attempt.owner.information?.(info));
    // Without a listener Node closes the connection and tells nobody.
    upstream.once('upgrade', (_response, socket) => {
      socket.destroy();
      attempt.fail(new Error('switched protocols without being asked'));
    });
    attempt.begin(upstream);
  }

  #attemptOf(request: IncomingMessage): Attempt {
    const attempt = this.#attempts.get(request);
    if (attempt === undefined) throw new Error('a request reached the library without an attempt');
    return attempt;
  }
}

function answered(attempt: Attempt, upstream: IncomingMessage, client: ServerResponse): void {
  const fault = responseFault(upstream);
  if (fault === null) {
    attempt.head(upstream);
    attempt.owner.response?.(attempt, upstream, client);
    return;
  }
  // The library is about to tie the client's response to this one; the client shall get an answer all the same.
  process.nextTick(() => {
    upstream
      .removeAllListeners('close')
      .removeAllListeners('error')
      .on('error', () => {});
    attempt.fail(new Error(fault));
  });
}
