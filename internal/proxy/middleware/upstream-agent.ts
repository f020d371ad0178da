import type { AgentOptions, ClientRequest } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Agent } from '../../../pkg/sockets/http.ts';
import { CountedConnections } from '../counted-connections.ts';
import type { Upstream } from '../upstream.ts';

const MAX_IDLE_SOCKETS = 64;

export interface AgentTimeouts {
  readonly connect: number;
  readonly upstreamIdle: number;
}

/**
 * Keeps the idle connections of one upstream, the last used first, and bounds how long a connect may take.
 * Node shortens the idle time by itself when the upstream's `Keep-Alive: timeout=…` promises less, and closes an idle
 * connection on which the upstream speaks unasked.
 */
export class UpstreamAgent extends Agent {
  readonly #connectMs: number;
  readonly #counted: CountedConnections;

  constructor(timeouts: AgentTimeouts, upstream: Upstream) {
    const options: AgentOptions = {
      keepAlive: true,
      maxFreeSockets: MAX_IDLE_SOCKETS,
      scheduling: 'lifo',
      timeout: timeouts.upstreamIdle,
    };
    super(options);
    this.#connectMs = timeouts.connect;
    this.#counted = new CountedConnections(upstream);
    this.on('free', () => this.#countIdle()); // after it was put among those that are kept
  }

  override createConnection(options: NetConnectOpts): Socket {
    const socket = connectWithin(options, this.#connectMs);
    this.#counted.opens(socket);
    socket.once('close', () => this.#countIdle());
    return socket;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    super.reuseSocket(socket, request);
    this.#counted.reused();
    this.#countIdle();
  }

  becomesTunnel(socket: Socket): void {
    this.#counted.becomesTunnel(socket);
  }

  /** Closes the idle connections; requests that run on others go on. */
  closeIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /** No request will come any more: connections close as they fall idle. */
  retire(): void {
    this.maxFreeSockets = 0;
    this.closeIdle();
    this.#counted.retire();
  }

  #countIdle(): void {
    const kept = Object.values(this.freeSockets).flatMap((sockets) => sockets ?? []);
    this.#counted.idle = kept.filter(({ destroyed }) => !destroyed).length;
  }
}

/** Hands out one connection that is already open, to one request. */
export class SingleConnectionAgent extends Agent {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: false });
    this.#socket = socket;
  }

  override createConnection(): Duplex {
    return this.#socket;
  }
}

/** A connect that takes longer ends with an error of code `ETIMEDOUT`. */
export function connectWithin(options: NetConnectOpts, timeoutMs: number): Socket {
  const socket = connect(options);
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error(`no connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
  }, timeoutMs);
  const clear = () => clearTimeout(timer);
  socket.once('connect', clear).once('close', clear);
  return socket;
}
