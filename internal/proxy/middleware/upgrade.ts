import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { authority } from '../../model/address.ts';
import type { Followed } from '../explain/explainer.ts';
import type { TrailFacts } from '../explain/trail.ts';
import { endToEndFields, type RawFields, VIA } from '../fields.ts';
import { Lease } from '../lease.ts';
import { isFull, type Refusal } from '../pool-parts.ts';
import { type Outcome, statusFor } from '../outcome.ts';
import { RequestContext } from '../request-context.ts';
import { type RetryRefusal, retryRefusal } from '../retry.ts';
import type { ServicePool } from '../service-pool.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { ClientRequest } from './client-request.ts';
import {
  CLIENT_GONE,
  endOf,
  type ExchangeEnd,
  type ExchangeTools,
  factsOf,
  stickyCookie,
  upstreamField,
} from './exchange.ts';
import { NextLease } from './next-lease.ts';
import { closeAfterEnd, refuseSocket } from './respond.ts';
import { SingleConnectionAgent } from './upstream-agent.ts';

/**
 * Relays a WebSocket handshake and then the bytes. The library cannot repeat a handshake, so the connection is opened
 * here, on another upstream when the first refuses, and handed to the library when it stands. The lease lasts as long
 * as the WebSocket: a drain waits for it.
 */
export class Upgrade implements AttemptOwner, Followed {
  readonly #tools: ExchangeTools;
  readonly pool: ServicePool;
  readonly #request: ClientRequest;
  readonly #socket: Socket;
  readonly context: RequestContext;
  readonly #next: NextLease;
  readonly leases: Lease[] = [];
  status = CLIENT_GONE;
  /** Why it got no upstream, or no other one; null: it did. */
  refusal: Refusal | null = null;
  notRepeated: RetryRefusal | null = null;
  /** Octets in the body of an answer of our own. */
  #ownBytes = 0;
  #onTunnel: () => void = () => {};
  /** Octets that had come on the client's connection before those of the other protocol. */
  #receivedBefore = 0;
  /** What the client's connection had carried before the answer to the upgrade was on it; null: there is none. */
  #before: { readonly received: number; readonly sent: number } | null = null;

  constructor(tools: ExchangeTools, pool: ServicePool, request: ClientRequest, socket: Socket) {
    this.#tools = tools;
    this.pool = pool;
    this.#request = request;
    this.#socket = socket;
    this.context = new RequestContext(request, pool, tools.now);
    this.#next = new NextLease(pool, this.context, () => tools.explainer?.follow(this));
  }

  /** Resolves when the client's connection is closed, or has been refused. */
  async run(head: Buffer): Promise<void> {
    this.#receivedBefore = this.#socket.bytesRead - head.length;
    // Not `once` of node:events: a client that resets its connection is no exception.
    const closed = new Promise<void>((resolve) => {
      if (this.#socket.destroyed) resolve();
      else this.#socket.once('close', resolve);
    });
    this.#socket.once('close', () => this.#next.giveUp());
    closeAfterEnd(this.#socket);
    const { budget, explainer } = this.#tools;
    budget.requestStarted();
    explainer?.sample(this, this.#request.startedAt);
    try {
      const connection = await this.#connect();
      if (connection !== null) {
        this.#handOver(connection.lease, connection.socket, head);
        await closed;
      }
    } finally {
      for (const lease of this.leases) lease.release({ kind: 'client-closed' });
    }
  }

  end(): ExchangeEnd {
    const { status, refusal, leases } = this;
    const { bytesRead, bytesWritten } = this.#socket;
    return endOf(this.#request, leases, {
      status,
      refusal,
      queueMs: this.#next.waitedMs,
      receivedBytes: this.#before === null ? 0 : bytesRead - this.#before.received,
      sentBytes: this.#before === null ? this.#ownBytes : bytesWritten - this.#before.sent,
      endedAt: this.#tools.now(),
    });
  }

  facts(): TrailFacts {
    return factsOf(this.#request, this.pool, this.leases);
  }

  upgraded({ lease }: Attempt, upstream: IncomingMessage): void {
    const status = upstream.statusCode ?? 502;
    this.status = status;
    if (status === 101) this.#onTunnel();
    process.nextTick(() => {
      // The head of the answer is written by now, and nothing that follows it.
      this.#before = { received: this.#receivedBefore, sent: this.#socket.bytesWritten };
    });
    if (status !== 101) this.#watchRefusal(lease, upstream, status);
    // The library writes the head of its answer from this table after we return; of a 101 it would drop no field.
    if (status === 101) upstream.headers = switchedHeaders(upstream.rawHeaders);
    const { headers } = upstream;
    headers.via = headers.via === undefined ? VIA : `${headers.via}, ${VIA}`;
    headers['x-request-id'] = this.#request.id;
    const { limitFields } = this.#request;
    for (let at = 0; at + 1 < limitFields.length; at += 2) {
      const name = limitFields[at]?.toLowerCase() ?? '';
      headers[name] = [headers[name] ?? [], limitFields[at + 1] ?? ''].flat();
    }
    const [field, id] = upstreamField(this.#tools.settings(), lease);
    if (field !== undefined) headers[field.toLowerCase()] = id;
    const cookie = stickyCookie(this.pool, this.context, this.#request, lease);
    if (cookie !== null) headers['set-cookie'] = [...(headers['set-cookie'] ?? []), cookie];
  }

  /** The handshake failed after the connect: too late for another upstream. */
  failed({ lease }: Attempt): void {
    if (this.status === CLIENT_GONE) this.#answerFor(lease);
  }

  /** Nobody reads from a client that waits for an answer: when the answer stands still, its leaving would go unnoticed. */
  #watchRefusal(lease: Lease, upstream: IncomingMessage, status: number): void {
    const { streamIdle } = this.#tools.settings().timeouts;
    upstream.once('end', () => lease.release({ kind: 'completed', status }));
    upstream.socket.setTimeout(streamIdle, () => {
      lease.release({ kind: 'truncated', cause: `no byte for ${streamIdle} ms` });
      upstream.destroy();
      this.#socket.destroy();
    });
  }

  async #connect(): Promise<{ lease: Lease; socket: Socket } | null> {
    do {
      const tried = this.leases.map(({ upstream }) => upstream);
      const lease = this.#socket.destroyed ? 'nobody' : await this.#next.get(tried);
      if (!(lease instanceof Lease)) {
        this.refusal = this.#socket.destroyed ? null : lease;
        this.#answerFor(lease === 'nobody' ? this.leases.at(-1) : undefined);
        return null;
      }
      this.leases.push(lease);
      this.#request.trace?.nextAttempt();
      const { host, port } = lease.upstream.instance;
      const agent = this.#tools.agentFor(lease.upstream);
      const socket = agent.createConnection({ host, port });
      try {
        await once(socket, 'connect');
        lease.connected(false);
        closeAfterEnd(socket);
        this.#onTunnel = () => agent.becomesTunnel(socket);
        return { lease, socket };
      } catch (error) {
        const cause = error instanceof Error && 'code' in error ? String(error.code) : String(error);
        lease.release({ kind: 'connect-failed', cause });
      }
    } while (this.#goesOn());
    this.#answerFor(this.leases.at(-1));
    return null;
  }

  #goesOn(): boolean {
    const outcome = this.leases.at(-1)?.outcome;
    if (!outcome) return false;
    const { retries } = this.#tools.settings();
    const question = { outcome, method: 'GET', hasIdempotencyKey: false, bodyReplayable: true };
    const refusal = retryRefusal({ ...question, attempts: this.leases.length, resets: 0 }, retries);
    this.notRepeated = refusal ?? (this.#tools.budget.take(retries) ? null : 'budget-spent');
    if (this.notRepeated === null) this.#tools.explainer?.follow(this);
    return this.notRepeated === null;
  }

  #handOver(lease: Lease, connection: Socket, head: Buffer): void {
    if (this.#socket.destroyed) {
      connection.destroy();
      return;
    }
    const { host, port } = lease.upstream.instance;
    const route = {
      url: `http://${authority(host, port)}`,
      target: this.#request.target,
      agent: new SingleConnectionAgent(connection),
      body: null,
      trailers: () => [],
    };
    const { responseHead, streamIdle } = this.#tools.settings().timeouts;
    const attempt = new Attempt(lease, route, { head: responseHead, idle: streamIdle }, this);
    this.#socket.once('close', () => {
      lease.release(this.status === 101 ? { kind: 'completed', status: 101 } : { kind: 'client-closed' });
      attempt.abandon();
      connection.destroy();
    });
    connection.once('close', () => {
      if (this.status === CLIENT_GONE) attempt.fail(new Error('closed before an answer'));
      if (this.status !== 101) return;
      lease.release({ kind: 'completed', status: 101 }); // whether or not the client closes its side
      this.#socket.end();
    });
    this.#request.prepare(true);
    this.#tools.library.upgrade(attempt, this.#request.message, this.#socket, head);
  }

  #answerFor(last: Lease | undefined): void {
    const outcome: Outcome | null = last?.outcome ?? null;
    if (this.#socket.destroyed || outcome?.kind === 'client-closed') return;
    const status = last && outcome ? (statusFor(outcome, last.lastResort) ?? 502) : 503;
    this.status = status;
    const details = { retryAfter: isFull(this.refusal) ? this.pool.retryAfter : undefined };
    this.#ownBytes = refuseSocket(this.#socket, status, this.#request.id, this.#request.field('accept'), details);
  }
}

/** The fields of a 101 as the client gets them: without hop-by-hop and nominated ones, but for the two that switch. */
function switchedHeaders(fields: RawFields): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = { upgrade: 'websocket', connection: 'Upgrade' };
  const kept = endToEndFields(fields);
  for (let i = 0; i + 1 < kept.length; i += 2) {
    const [name, value] = [kept[i]?.toLowerCase() ?? '', kept[i + 1] ?? ''];
    const before = headers[name] ?? [];
    headers[name] = [...(Array.isArray(before) ? before : [before]), value];
  }
  return headers;
}
