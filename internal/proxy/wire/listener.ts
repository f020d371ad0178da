import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Listener } from '../engine.ts';
import { ClientConnection, type ClientTools, type ConnectionListener } from './client-connection.ts';

/** One address, and the client connections that came in on it. */
export class WireListener implements Listener, ConnectionListener {
  readonly host: string;
  readonly port: number;
  closing = false;
  readonly #server: Server;
  readonly #connections = new Set<ClientConnection>();
  #onEmpty: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  private constructor(server: Server, host: string, port: number) {
    this.#server = server;
    this.host = host;
    this.port = port;
  }

  /**
   * @param reusePort - whether other threads of this process listen on the same address.
   * @throws when the address cannot be bound.
   */
  static async open(host: string, port: number, reusePort: boolean, tools: ClientTools): Promise<WireListener> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.listen({ host, port, reusePort, backlog: BACKLOG });
    await once(server, 'listening');
    const address = server.address();
    const bound = typeof address === 'object' && address !== null ? address.port : port;
    const listener = new WireListener(server, host, bound);
    server.on('error', () => {}); // one connection that could not be accepted, for lack of descriptors: the next may be
    server.on('connection', (socket) => listener.#connections.add(new ClientConnection(socket, tools, listener)));
    return listener;
  }

  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  async #close(deadlineMs: number): Promise<void> {
    this.closing = true;
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const connection of this.#connections) connection.shutdown();
    this.#settle();
    const deadline = setTimeout(() => {
      for (const { transport } of this.#connections) transport.abandon();
    }, deadlineMs);
    await Promise.all([stopped, empty]);
    clearTimeout(deadline);
  }

  connectionClosed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    this.#settle();
  }

  #settle(): void {
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}

/** Connections that wait to be accepted; the kernel may allow fewer. */
const BACKLOG = 4_096;
