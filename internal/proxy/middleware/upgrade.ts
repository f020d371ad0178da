import { once } from 'node:events';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { authority } from '../../model/address.ts';
import { answerFor } from '../answer.ts';
import type { AttemptRecord } from '../engine.ts';
import { RequestContext } from '../request-context.ts';
import { mayRetry } from '../retry.ts';
import type { ServicePool } from '../service-pool.ts';
import type { Lease } from '../lease.ts';
import { statusFor } from '../outcome.ts';
import type { Upstream } from '../upstream.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { ClientRequest } from './client-request.ts';
import { type ExchangeTools, recordOf, stickyCookie } from './exchange.ts';
import { connectWithin, SingleConnectionAgent } from './upstream-agent.ts';

/** As nginx logs it: the client left before there was an answer. */
export const CLIENT_GONE = 499;

/** What became of an upgrade, for the log. */
export interface UpgradeResult {
  readonly status: number;
  readonly attempts: readonly AttemptRecord[];
}

/**
 * Relays a WebSocket handshake and then the bytes. The library cannot repeat a handshake, so the connection is opened
 * here, on another upstream when the first refuses, and handed to the library when it stands. The lease lasts as long
 * as the WebSocket: a drain waits for it.
 */
export class Upgrade implements AttemptOwner {
  readonly context: RequestContext;
  readonly pool: ServicePool;
  readonly request: ClientRequest;
  readonly #tools: ExchangeTools;
  readonly #socket: Socket;
  readonly #leases: Lease[] = [];
  #status = CLIENT_GONE;

  constructor(tools: ExchangeTools, pool: ServicePool, request: ClientRequest, socket: Socket) {
    this.#tools = tools;
    this.#socket = socket;
    this.pool = pool;
    this.request = request;
    this.context = new RequestContext(request, pool, tools.now);
  }

  /** Resolves when the client's connection is closed. */
  async run(head: Buffer): Promise<UpgradeResult> {
    const closed = this.#socket.destroyed ? Promise.resolve() : once(this.#socket, 'close').then(() => undefined);
    const connection = await this.#connect();
    if (connection !== null) this.#handOver(connection.lease, connection.socket, head);
    await closed;
    for (const lease of this.#leases) lease.release({ kind: 'client-closed' });
    return { status: this.#status, attempts: this.#leases.map(recordOf) };
  }

  upgraded({ lease }: Attempt, upstream: IncomingMessage): void {
    this.#status = upstream.statusCode ?? 502;
    if (this.#status !== 101) lease.release({ kind: 'completed', status: this.#status });
    const cookie = stickyCookie(this.pool, this.context, this.request, lease);
    // The library writes the head of a 101 from this table after we return.
    upstream.headers['x-request-id'] = this.request.id;
    if (cookie !== null) upstream.headers['set-cookie'] = [...(upstream.headers['set-cookie'] ?? []), cookie];
  }

  /** The handshake failed after the connect: too late for another upstream. */
  failed({ lease }: Attempt): void {
    const status = lease.outcome && statusFor(lease.outcome, lease.lastResort);
    if (status !== null && this.#status === CLIENT_GONE) this.#answer(status);
  }

  async #connect(): Promise<{ lease: Lease; socket: Socket } | null> {
    const { timeouts, retries } = this.#tools.settings();
    const tried: Upstream[] = [];
    while (!this.#socket.destroyed) {
      const lease = this.pool.lease(this.context, tried);
      if (lease === null) break;
      this.#leases.push(lease);
      tried.push(lease.upstream);
      const { host, port } = lease.upstream.instance;
      const socket = connectWithin({ host, port }, timeouts.connect);
      try {
        await once(socket, 'connect');
        return { lease, socket };
      } catch (error) {
        const cause = error instanceof Error && 'code' in error ? String(error.code) : String(error);
        const outcome = { kind: 'connect-failed', cause } as const;
        lease.release(outcome);
        const question = {
          outcome,
          method: 'GET',
          hasIdempotencyKey: false,
          bodyReplayable: true,
          attempts: tried.length,
        };
        if (!mayRetry(question, retries)) break;
      }
    }
    const last = this.#leases.at(-1);
    this.#answer((last?.outcome && statusFor(last.outcome, last.lastResort)) ?? 503);
    return null;
  }

  #handOver(lease: Lease, connection: Socket, head: Buffer): void {
    if (this.#socket.destroyed) {
      connection.destroy();
      return;
    }
    const { host, port } = lease.upstream.instance;
    const agent = new SingleConnectionAgent(connection);
    const route = { url: `http://${authority(host, port)}`, agent, body: null };
    const attempt = new Attempt(lease, route, this.#tools.settings().timeouts.responseHead, this);
    this.#socket.once('close', () => {
      if (this.#status === 101) lease.release({ kind: 'completed', status: 101 });
      attempt.abandon();
      connection.destroy();
    });
    this.request.prepare(true);
    this.#tools.library.upgrade(attempt, this.request.message, this.#socket, head);
  }

  #answer(status: number): void {
    this.#status = status;
    refuseUpgrade(this.#socket, status, this.request.field('accept'), this.request.id);
  }
}

/** Answers on the bare connection: after an upgrade request there is no response object. */
export function refuseUpgrade(socket: Duplex, status: number, accept: string | undefined, requestId: string): void {
  const answer = answerFor(status, accept);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    `Content-Type: ${answer.type}`,
    `Content-Length: ${Buffer.byteLength(answer.body)}`,
    `X-Request-Id: ${requestId}`,
    ...(answer.retryAfter === null ? [] : [`Retry-After: ${answer.retryAfter}`]),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${answer.body}`);
}
