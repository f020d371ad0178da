import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { messageOf } from '../../model/errors.ts';
import type { Lease } from '../lease.ts';

/** What the library needs for one try, and what it reports back. */
export interface AttemptRoute {
  readonly url: string;
  readonly agent: Agent;
  /** The body for this try; null when the request has none that was read before. */
  readonly body: Readable | null;
}

/** Whoever runs the attempt; called after the attempt has noted the event itself. */
export interface AttemptOwner {
  /** An interim response, such as 103. */
  information?(info: { readonly statusCode: number; readonly rawHeaders: string[] }): void;
  /** The final response head; the body is still to come. */
  response?(attempt: Attempt, upstream: IncomingMessage, client: ServerResponse): void;
  /** An upgrade was answered, with 101 or with an ordinary response. */
  upgraded?(attempt: Attempt, upstream: IncomingMessage): void;
  failed?(attempt: Attempt): void;
}

/** One try of a request on one upstream: turns the library's events into the outcome of the lease. */
export class Attempt {
  readonly lease: Lease;
  readonly route: AttemptRoute;
  readonly owner: AttemptOwner;
  readonly #headTimeoutMs: number;
  #request: ClientRequest | null = null;
  #connected = false;
  #headTimer: NodeJS.Timeout | null = null;
  #timedOut = false;

  constructor(lease: Lease, route: AttemptRoute, headTimeoutMs: number, owner: AttemptOwner) {
    this.lease = lease;
    this.route = route;
    this.owner = owner;
    this.#headTimeoutMs = headTimeoutMs;
  }

  /** The library has a connection, open or being opened, and is about to send. */
  begin(request: ClientRequest): void {
    this.#request = request;
    const { socket } = request;
    if (socket?.connecting) socket.once('connect', () => this.#markConnected());
    else this.#connected = true;
    // The upstream's time to think starts when it has the whole request, however long the upload took.
    if (request.writableFinished) this.#startHeadTimer();
    else request.once('finish', () => this.#startHeadTimer());
  }

  /** The final response head is here. */
  head(response: IncomingMessage): void {
    this.#stopHeadTimer();
    this.lease.head(response.statusCode ?? 0);
  }

  /** The library reports an error: what it means depends on how far the attempt got. */
  fail(error: unknown): void {
    this.#stopHeadTimer();
    const cause = causeOf(error);
    if (this.#timedOut)
      this.lease.release({ kind: 'head-timeout', cause: `no answer within ${this.#headTimeoutMs} ms` });
    else if (!this.#connected) this.lease.release({ kind: 'connect-failed', cause });
    else this.lease.release({ kind: this.lease.headMs === null ? 'reset' : 'truncated', cause });
    this.owner.failed?.(this);
  }

  /** The client is gone or its request is broken: the upstream need not go on. */
  abandon(): void {
    this.#stopHeadTimer();
    this.lease.release({ kind: 'client-closed' });
    this.#request?.destroy();
  }

  #markConnected(): void {
    this.#connected = true;
  }

  #startHeadTimer(): void {
    if (this.lease.outcome !== null || this.lease.headMs !== null || this.#headTimer !== null) return;
    this.#headTimer = setTimeout(() => {
      this.#timedOut = true;
      this.#request?.destroy(new Error('response head timeout'));
    }, this.#headTimeoutMs);
  }

  #stopHeadTimer(): void {
    if (this.#headTimer !== null) clearTimeout(this.#headTimer);
    this.#headTimer = null;
  }
}

function causeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code || messageOf(error);
}
