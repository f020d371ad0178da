import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ListenOptions, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import express, { type Express } from 'express';
import type { Engine, EngineSettings, Listener } from '../engine.ts';
import type { Search } from '../explain/search.ts';
import { freePort } from '../../../pkg/sockets/free-port.ts';
import { jointListener } from '../joint-listener.ts';
import { ClientSockets } from '../client-sockets.ts';
import type { SilentUpstream } from '../silent-upstream.ts';
import { ownReading, type ThreadReading } from '../thread-reading.ts';
import type { ClientRequest } from './client-request.ts';
import { Forwarder, type ForwarderOptions } from './forwarder.ts';
import { HttpListener, type Receiver } from './listener.ts';

/** What is known of a request when it is handed to Express, which hands on the request alone. */
interface Arrival {
  readonly request: ClientRequest;
  readonly listener: HttpListener;
  readonly expectsContinue: boolean;
}

/** The engine on Express and http-proxy-middleware. */
export class MiddlewareEngine implements Engine, Receiver {
  readonly clients = new ClientSockets();
  readonly #forwarder: Forwarder;
  readonly #listeners = new Set<HttpListener>();
  readonly #arrivals = new WeakMap<IncomingMessage, Arrival>();
  readonly #app: Express;
  readonly #reusePort: boolean;

  /** @param reusePort - whether a successor with more threads may come to listen beside this one. */
  constructor(options: ForwarderOptions, reusePort = false) {
    this.#reusePort = reusePort;
    this.#forwarder = new Forwarder(options);
    this.#app = express()
      .disable('x-powered-by')
      .use((message, response) => {
        const arrival = this.#arrivals.get(message);
        if (arrival === undefined) response.destroy();
        else void this.#forwarder.serve(arrival.request, response, arrival.listener, arrival.expectsContinue);
      });
  }

  configure(settings: EngineSettings): void {
    this.#forwarder.configure(settings);
    for (const listener of this.#listeners) listener.setTimeouts(settings.timeouts);
  }

  async explain(id: string): Promise<Search> {
    return this.#forwarder.explain(id);
  }

  async readings(): Promise<readonly ThreadReading[]> {
    return [await ownReading(this.clients.read())];
  }

  unreadable(socket: Duplex, status: number, refusal: string, isBody: boolean): void {
    this.#forwarder.refuseUnreadable(socket, status, refusal, isBody);
  }

  rescue(from: SilentUpstream): void {
    this.#forwarder.rescue(from);
  }

  forget(upstreamId: string): void {
    this.#forwarder.forget(upstreamId);
  }

  listen(host: string, port: number, sockets: readonly number[] = []): Promise<Listener> {
    return jointListener(sockets, (socket) => this.#listen(host, port, socket));
  }

  async #listen(host: string, port: number, socket: number | undefined): Promise<Listener> {
    const where = socket === undefined ? await this.#addressOf(host, port) : { fd: socket };
    const listener = await HttpListener.open({ host, port }, where, this.#forwarder.settings.timeouts, this);
    this.#listeners.add(listener);
    return {
      host,
      port: listener.port,
      sockets: () => listener.sockets(),
      close: (deadlineMs) => this.#ended(listener, listener.close(deadlineMs)),
      retire: (deadlineMs) => this.#ended(listener, listener.retire(deadlineMs)),
    };
  }

  async #addressOf(host: string, port: number): Promise<ListenOptions> {
    return this.#reusePort ? { host, port: await freePort(host, port), reusePort: true } : { host, port };
  }

  async #ended(listener: HttpListener, ended: Promise<void>): Promise<void> {
    await ended;
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#forwarder.forgetAll();
  }

  request(message: IncomingMessage, response: ServerResponse, listener: HttpListener, expectsContinue: boolean): void {
    const request = this.#forwarder.admit(message, response);
    if (request === null) return;
    this.#arrivals.set(message, { request, listener, expectsContinue });
    message.url = request.target; // Express would answer by itself to what it cannot parse
    this.#app(message, response);
  }

  upgrade(message: IncomingMessage, socket: Socket, head: Buffer, listener: HttpListener): void {
    void this.#forwarder.upgrade(message, socket, head, listener);
  }
}
