import { once } from 'node:events';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { descriptorOf } from '../../../pkg/sockets/descriptor.ts';
import type { ClientSockets } from '../client-sockets.ts';
import type { Listener } from '../engine.ts';
import { ClientConnection, type ClientTools, type ConnectionListener } from './client-connection.ts';

/** One address, and the client connections that came in on it. */
export class WireListener implements Listener, ConnectionListener {
  readonly host: string;
  readonly port: number;
  closing = false;
  hurries = false;
  readonly #server: Server;
  readonly #clients: ClientSockets;
  readonly #connections = new Set<ClientConnection>();
  #onEmpty: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  private constructor(server: Server, host: string, port: number, clients: ClientSockets) {
    this.#server = server;
    this.#clients = clients;
    this.host = host;
    this.port = port;
  }

  /**
   * @param reusePort - whether others may listen on the same address.
   * @throws when the address cannot be bound.
   */
  static open(host: string, port: number, reusePort: boolean, tools: ClientTools): Promise<WireListener> {
    return WireListener.#open(host, port, { host, port, reusePort, backlog: BACKLOG }, tools);
  }

  /** @param socket - the descriptor of a socket that listens there already; it is ours from now on. */
  static adopt(host: string, port: number, socket: number, tools: ClientTools): Promise<WireListener> {
    const handle: { fd: number; backlog: number } = { fd: socket, backlog: BACKLOG };
    return WireListener.#open(host, port, handle, tools);
  }

  static async #open(
    host: string,
    port: number,
    where: ListenOptions | { fd: number; backlog: number },
    tools: ClientTools,
  ): Promise<WireListener> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.listen(where);
    await once(server, 'listening');
    const address = server.address();
    const bound = typeof address === 'object' && address !== null ? address.port : port;
    const listener = new WireListener(server, host, bound, tools.clients);
    server.on('error', () => {}); // one connection that could not be accepted, for lack of descriptors: the next may be
    server.on('connection', (socket) => {
      const connection = new ClientConnection(socket, tools, listener);
      tools.clients.accepted(connection.transport.socket); // another one than was accepted
      listener.#connections.add(connection);
    });
    return listener;
  }

  close(deadlineMs: number): Promise<void> {
    const ended = this.#end(deadlineMs);
    this.hurries = true;
    for (const connection of this.#connections) connection.shutdown(); // also when it retires already
    return ended;
  }

  retire(deadlineMs: number): Promise<void> {
    return this.#end(deadlineMs);
  }

  async sockets(): Promise<readonly number[]> {
    return [descriptorOf(this.#server)];
  }

  #end(deadlineMs: number): Promise<void> {
    this.closing = true;
    const deadline = setTimeout(() => {
      for (const { transport } of this.#connections) transport.abandon();
    }, deadlineMs);
    this.#closed ??= this.#close();
    return this.#closed.finally(() => clearTimeout(deadline));
  }

  async #close(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    this.#settle();
    await Promise.all([stopped, empty]);
  }

  connectionClosed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    this.#clients.closed(connection.transport.socket);
    this.#settle();
  }

  #settle(): void {
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}

/** Connections that wait to be accepted; the kernel may allow fewer. */
const BACKLOG = 4_096;
