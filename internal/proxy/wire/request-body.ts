import { BodyReader } from './body-reader.ts';
import type { HeadLimits } from './head-parser.ts';
import type { RequestHead } from './request-head.ts';
import type { Transport } from './transport.ts';

/** What is kept of a body for another attempt, in octets; a longer one is relayed all the same, but only once. */
const REPLAY_LIMIT = 64 * 1024;

/** A body of which a read brings at least this much gets a read buffer of its own. */
const LONG_BODY = 32 * 1024;

/** Nothing is ever read with it. */
const NO_BODY = new BodyReader();

/** The body of one request on its way to the upstream. */
export class RequestBody {
  readonly #reader: BodyReader;
  readonly #maxSize: number | null;
  /** Everything that came so far, one character per octet; null once that is too much, or needed no more. */
  #kept: string | null = '';
  /** Where it goes; null while there is nobody to send it to. */
  #upstream: Transport | null = null;
  /** What comes while there is nobody is read until it is as much as may be kept. */
  #isHeld = false;

  /** @param maxSize - octets of payload; null: unlimited. */
  constructor(request: RequestHead, limits: HeadLimits, maxSize: number | null) {
    this.#maxSize = maxSize;
    if (request.length === 0) {
      this.#reader = NO_BODY;
      return;
    }
    this.#reader = new BodyReader();
    this.#reader.begin(request.chunked ? 'chunked' : 'length', request.length, limits);
  }

  /** Whether all of it was read, and nothing is wrong with it. */
  get done(): boolean {
    return this.#reader.done && this.fault === null;
  }

  /** Whether anything of it came. */
  get begun(): boolean {
    return this.#reader.size > 0;
  }

  /** Octets of payload that came. */
  get size(): number {
    return this.#reader.size;
  }

  /** Why the rest cannot be read. */
  get fault(): 'invalid' | 'too-large' | null {
    if (this.#reader.fault !== null) return 'invalid';
    return this.#maxSize !== null && this.#reader.size > this.#maxSize ? 'too-large' : null;
  }

  /** Whether it can be sent again from the start. */
  get replayable(): boolean {
    return this.#kept !== null;
  }

  /**
   * Takes what the client sent in `chunk[from, to)`.
   * @returns the index after the body's last octet. `client` is paused when nobody takes the octets at present.
   */
  receive(chunk: Buffer, from: number, to: number, client: Transport): number {
    const reader = this.#reader;
    const end = reader.read(chunk, from, to, null);
    if (this.fault !== null) return end;
    if (this.#kept !== null) this.#kept += chunk.toString('latin1', from, reader.relayEnd) + reader.tail;
    const upstream = this.#upstream;
    if (reader.done) client.shareBuffer();
    if (upstream === null) {
      if (!reader.done && !this.#mayHold) client.pause();
      return end;
    }
    const flows = reader.relayEnd === from || upstream.relay(chunk, from, reader.relayEnd, client);
    if (reader.tail !== '') upstream.write(reader.tail);
    if (!flows && !reader.done) client.pause();
    if (!reader.done && to - from > LONG_BODY) client.expectLongBody();
    if (this.#kept !== null && this.#kept.length > REPLAY_LIMIT) this.#kept = null;
    return end;
  }

  /** It is not known when there will be somebody to send it to. */
  hold(client: Transport): void {
    this.#isHeld = true;
    if (this.#mayHold) client.resume();
  }

  get #mayHold(): boolean {
    return this.#isHeld && this.#kept !== null && this.#kept.length <= REPLAY_LIMIT;
  }

  /** Sends the head and what is here of the body; what comes later follows by itself. */
  sendTo(upstream: Transport, head: string): void {
    this.#upstream = upstream;
    this.#isHeld = false;
    upstream.write(head + (this.#kept ?? ''));
    if (this.#kept !== null && this.#kept.length > REPLAY_LIMIT) this.#kept = null;
  }

  /** The attempt is over; what comes waits for the next. */
  detach(): void {
    this.#upstream = null;
  }

  /** No other attempt will need the beginning. */
  forget(): void {
    this.#kept = null;
  }
}
