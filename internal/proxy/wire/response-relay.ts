import { BodyReader } from './body-reader.ts';
import type { HeadLimits } from './head-parser.ts';
import type { ResponseHead } from './response-head.ts';
import type { Transport } from './transport.ts';

/**
 * - `raw`: as it came, framing included.
 * - `unchunked`: the payload alone, for a client of HTTP/1.0, whose connection ends with it.
 * - `chunked`: framed by us, because the upstream's body ends with its connection and the client's need not.
 */
export type RelayMode = 'raw' | 'unchunked' | 'chunked';

/** Head and body go out in one write when the part of the body that is at hand is at most this long. */
const SHORT_BODY = 16 * 1024;
/** A body with at least this much to come gets a read buffer of its own. */
const LONG_BODY = 32 * 1024;

/** Passes the body of one response on. */
export class ResponseRelay {
  readonly #reader = new BodyReader();
  readonly #upstream: Transport;
  readonly #client: Transport;
  readonly #mode: RelayMode;

  constructor(upstream: Transport, client: Transport, mode: RelayMode) {
    this.#upstream = upstream;
    this.#client = client;
    this.#mode = mode;
  }

  /** Octets of payload that were passed on. */
  get size(): number {
    return this.#reader.size;
  }

  get done(): boolean {
    return this.#reader.done;
  }

  /** Why the body cannot be read on; null while all is well. */
  get fault(): string | null {
    return this.#reader.fault;
  }

  /** Sends the head, with as much of the body as is in `chunk[from, to)`. @returns the index after the body's last octet. */
  begin(head: string, response: ResponseHead, limits: HeadLimits, chunk: Buffer, from: number, to: number): number {
    const reader = this.#reader;
    reader.begin(response.framing, response.length, limits);
    if (this.#mode !== 'raw' || to - from > SHORT_BODY) {
      this.#client.write(head);
      return reader.done ? from : this.receive(chunk, from, to);
    }
    const end = reader.done ? from : reader.read(chunk, from, to, null);
    const body = reader.relayEnd > from && end > from ? chunk.toString('latin1', from, reader.relayEnd) : '';
    this.#client.write(head + body + reader.tail);
    if (reader.left > LONG_BODY) this.#upstream.expectLongBody();
    return end;
  }

  /** Passes on what is in `chunk[from, to)`. @returns the index after the body's last octet. */
  receive(chunk: Buffer, from: number, to: number): number {
    const reader = this.#reader;
    let flows = true;
    const end = reader.read(
      chunk,
      from,
      to,
      this.#mode === 'raw'
        ? null
        : (start, stop) => {
            flows = this.#payload(chunk, start, stop) && flows;
          },
    );
    if (this.#mode === 'raw') {
      if (reader.relayEnd > from) flows = this.#client.relay(chunk, from, reader.relayEnd, this.#upstream);
      if (reader.tail !== '') this.#client.write(reader.tail);
    }
    if (!flows && !reader.done) this.#upstream.pause();
    if (to - from > LONG_BODY && !reader.done) this.#upstream.expectLongBody();
    return end;
  }

  /** The upstream's connection has ended. @returns whether that was the proper end of the body. */
  end(): boolean {
    if (!this.#reader.end()) return false;
    if (this.#mode === 'chunked') this.#client.write('0\r\n\r\n');
    return true;
  }

  #payload(chunk: Buffer, from: number, to: number): boolean {
    if (this.#mode === 'unchunked') return this.#client.relay(chunk, from, to, this.#upstream);
    this.#client.write(`${(to - from).toString(16)}\r\n`);
    const flows = this.#client.relay(chunk, from, to, this.#upstream);
    this.#client.write('\r\n');
    return flows;
  }
}
