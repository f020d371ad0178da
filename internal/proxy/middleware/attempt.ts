import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { messageOf } from '../../model/errors.ts';
import { type RawFields, trailerFields } from '../fields.ts';
import type { Lease } from '../lease.ts';
import type { Outcome } from '../outcome.ts';
import { givenUp, isThat, type SilentUpstream } from '../silent-upstream.ts';

/** What the library needs for one try. */
export interface AttemptRoute {
  readonly url: string;
  readonly target: string;
  readonly agent: Agent;
  /** The body for this try; null when the request has none that was read before. */
  readonly body: Readable | null;
  /** What came after the body; asked for at its end. */
  readonly trailers: () => RawFields;
}

/** In milliseconds. */
export interface AttemptTimeouts {
  /** From the end of the request to the response head. */
  readonly head: number;
  /** Longest standstill of an upload that the upstream does not take. */
  readonly idle: number;
}

/** Whoever runs the attempt; called after the attempt has noted the event itself. */
export interface AttemptOwner {
  /** The library has read the request's target and fields. */
  taken?(): void;
  /** The connection stands; the request is about to be sent. */
  connected?(attempt: Attempt): void;
  /** An interim response, such as 103. */
  information?(info: { readonly statusCode: number; readonly rawHeaders: string[] }): void;
  /** The final response head; the body is still to come. */
  response?(attempt: Attempt, upstream: IncomingMessage, client: ServerResponse): void;
  /** An upgrade was answered, with 101 or with an ordinary response. */
  upgraded?(attempt: Attempt, upstream: IncomingMessage): void;
  /**
   * An idle connection was used again, and the upstream had closed it: true when the request will be sent once more on
   * a new one, under the same lease.
   */
  goesOnAfterStale?(attempt: Attempt): boolean;
  failed?(attempt: Attempt): void;
}

/** One try of a request on one upstream: turns the library's events into the outcome of the lease. */
export class Attempt {
  readonly lease: Lease;
  readonly route: AttemptRoute;
  readonly owner: AttemptOwner;
  /** Resolves when the attempt failed or was given up. */
  readonly broken: Promise<void>;
  readonly #timeouts: AttemptTimeouts;
  readonly #resolveBroken: () => void;
  #request: ClientRequest | null = null;
  #connected = false;
  #headTimer: NodeJS.Timeout | null = null;
  #timedOut: string | null = null;
  #givenUp: Outcome | null = null;
  #over = false;

  constructor(lease: Lease, route: AttemptRoute, timeouts: AttemptTimeouts, owner: AttemptOwner) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.lease = lease;
    this.route = route;
    this.owner = owner;
    this.broken = promise;
    this.#resolveBroken = resolve;
    this.#timeouts = timeouts;
  }

  /** The library has a connection, open or being opened, and is about to send. */
  begin(request: ClientRequest): void {
    this.#request = request;
    this.owner.taken?.();
    if (this.#over) {
      request.destroy();
      return;
    }
    const { socket } = request;
    if (socket?.connecting) socket.once('connect', () => this.#connects(request));
    else this.#markConnected(request);
    if (request.reusedSocket) this.lease.connected(true);
    this.route.body?.once('end', () => {
      const trailers = trailerFields(this.route.trailers());
      if (trailers.length > 0 && request.chunkedEncoding) request.addTrailers(trailers);
    });
    if (socket) this.#watchUpload(request, socket);
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
    if (this.#over) return;
    this.#over = true;
    this.#stopHeadTimer();
    const isStale = this.#request?.reusedSocket === true && this.#timedOut === null && this.lease.headMs === null;
    const mayGoOn = isStale && wasClosed(error);
    if (!mayGoOn || this.owner.goesOnAfterStale?.(this) !== true) this.#release(causeOf(error));
    this.#request?.destroy();
    this.owner.failed?.(this);
    this.#resolveBroken();
  }

  /** How it would end if it were given up because its upstream is that one; null: it is not, or has begun to answer. */
  endBy(silent: SilentUpstream): Outcome | null {
    const isWaiting = this.#request !== null && this.lease.headMs === null && this.#givenUp === null;
    return isWaiting && !this.#over && isThat(silent, this.lease.upstream) ? givenUp(silent, this.#connected) : null;
  }

  /** The request is sent to another upstream instead. */
  giveUp(outcome: Outcome): void {
    this.#givenUp = outcome;
    this.#request?.destroy(new Error('given up')); // which the library reports, and then is done with it
  }

  /** The client is gone or its request is broken: the upstream need not go on. */
  abandon(): void {
    this.#over = true;
    this.#stopHeadTimer();
    this.lease.release({ kind: 'client-closed' });
    this.#request?.destroy();
    this.#resolveBroken();
  }

  #release(cause: string): void {
    if (this.#givenUp !== null) this.lease.release(this.#givenUp);
    else if (this.#timedOut !== null) this.lease.release({ kind: 'head-timeout', cause: this.#timedOut });
    else if (this.#request !== null && !this.#connected) this.lease.release({ kind: 'connect-failed', cause });
    else this.lease.release({ kind: this.lease.headMs === null ? 'reset' : 'truncated', cause });
  }

  #connects(request: ClientRequest): void {
    this.lease.connected(false);
    this.#markConnected(request);
  }

  #markConnected(request: ClientRequest): void {
    this.#connected = true;
    this.owner.connected?.(this);
    if (this.route.body === null) return;
    // The library sends the head with the first byte of the body, for which the client may wait until it has an answer.
    setImmediate(() => {
      if (!request.headersSent && !request.destroyed) request.flushHeaders();
    });
  }

  #watchUpload(request: ClientRequest, socket: Socket): void {
    if (this.route.body === null || request.writableFinished) return;
    const { idle } = this.#timeouts;
    const stalled = () => this.#timeOut(`took no byte of the request for ${idle} ms`);
    socket.setTimeout(idle);
    socket.once('timeout', stalled);
    const stop = () => socket.removeListener('timeout', stalled);
    request.once('finish', stop).once('close', stop).once('response', stop);
  }

  #startHeadTimer(): void {
    if (this.#over || this.lease.headMs !== null || this.#headTimer !== null) return;
    this.lease.sent();
    const { head } = this.#timeouts;
    this.#headTimer = setTimeout(() => this.#timeOut(`no answer within ${head} ms`), head);
  }

  #timeOut(cause: string): void {
    this.#timedOut = cause;
    this.#request?.destroy(new Error(cause));
  }

  #stopHeadTimer(): void {
    if (this.#headTimer !== null) clearTimeout(this.#headTimer);
    this.#headTimer = null;
  }
}

/** The upstream gave up the connection without a byte; an answer that is no HTTP is another matter. */
function wasClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function causeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code || messageOf(error);
}
