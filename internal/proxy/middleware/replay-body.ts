import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** What is kept of a body for a repetition; a longer one is relayed all the same, but only once. */
const REPLAY_LIMIT = 64 * 1024;

export interface BodyLimits {
  /** Bytes; null: unlimited. */
  readonly maxBytes: number | null;
  /** Longest silence of the client in milliseconds while the upstream is ready for more. */
  readonly idleMs: number;
}

export type BodyFault = 'too-large' | 'idle';

/**
 * A request body that several attempts can read from its start: each gets a stream of its own, which repeats what was
 * kept and goes on with what still comes. The client is read only as fast as the present attempt reads, and not at all
 * before that attempt has a connection: an upload that could not be sent anywhere is still whole for the next upstream.
 */
export class ReplayBody {
  readonly #request: IncomingMessage;
  readonly #limits: BodyLimits;
  readonly #onFault: (fault: BodyFault) => void;
  #kept: Buffer[] | null = [];
  /** Octets that came. */
  received = 0;
  #ended = false;
  #failed = false;
  #current: Readable | null = null;
  #started = false;
  #idleTimer: NodeJS.Timeout | null = null;

  constructor(request: IncomingMessage, limits: BodyLimits, onFault: (fault: BodyFault) => void) {
    this.#request = request;
    this.#limits = limits;
    this.#onFault = onFault;
    request.on('data', (chunk: Buffer) => this.#receive(chunk));
    request.on('end', () => this.#end());
    request.on('close', () => this.#stopWaiting());
    request.pause();
  }

  get replayable(): boolean {
    return this.#kept !== null;
  }

  /** A new reader from the first byte; the one before it gets nothing more. Only while `replayable`. */
  stream(): Readable {
    const kept = this.#kept ?? [];
    const stream = new Readable({ read: () => this.#wanted(stream) });
    for (const chunk of kept) stream.push(chunk);
    if (this.#ended) stream.push(null);
    this.#current = stream;
    this.#started = false;
    return stream;
  }

  /** The present attempt has its connection: the client may be read. */
  start(): void {
    this.#started = true;
    if (this.#current !== null) this.#wanted(this.#current);
  }

  /** No attempt will need the beginning again. */
  forget(): void {
    this.#kept = null;
  }

  /** The present attempt is over; the client waits until the next one reads. */
  detach(): void {
    this.#current = null;
    this.#stopWaiting();
    if (!this.#failed) this.#request.pause();
  }

  #wanted(by: Readable): void {
    if (by !== this.#current || !this.#started || this.#ended || this.#failed) return;
    this.#idleTimer ??= setTimeout(() => this.#fail('idle'), this.#limits.idleMs);
    this.#request.resume();
  }

  #receive(chunk: Buffer): void {
    if (this.#failed) return; // read only to let the client see why
    this.#stopWaiting();
    this.received += chunk.length;
    if (this.#limits.maxBytes !== null && this.received > this.#limits.maxBytes) {
      this.#fail('too-large');
      return;
    }
    if (this.received > REPLAY_LIMIT) this.#kept = null;
    else this.#kept?.push(chunk);
    if (this.#current?.push(chunk) === false) this.#request.pause();
    else if (this.#current !== null) this.#wanted(this.#current);
  }

  #fail(fault: BodyFault): void {
    this.#failed = true;
    this.#stopWaiting();
    this.#current = null;
    this.#onFault(fault);
  }

  #end(): void {
    this.#ended = true;
    this.#stopWaiting();
    this.#current?.push(null);
  }

  #stopWaiting(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
  }
}
