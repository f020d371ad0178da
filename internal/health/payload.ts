import type { FramingFields } from './framing-fields.ts';

/** The longest line that gives the size of a chunk, in octets. */
const CHUNK_LINE_LIMIT = 256;
const CHUNK_LINE = /^([0-9a-f]{1,12})(?:;.*)?$/i;
/** What follows the last chunk (RFC 9112, 7.1). */
const END_WITHOUT_TRAILERS = '\r\n';
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** Frees a body from its framing. Text is latin1, one character per octet, and comes in pieces of any size. */
export interface Payload {
  /** The framing says that nothing follows. */
  readonly ended: boolean;
  /** The framing makes no sense: nothing that follows can be read. */
  readonly broken: boolean;
  /** Whether the body is whole when the connection is closed now. */
  readonly mayClose: boolean;
  /**
   * How the message stands on its connection: more of it is to come; it is over, and nothing came behind it; or
   * something came that is not read here, such as trailers.
   */
  readonly rest: 'due' | 'none' | 'excess';
  /** What of the payload is in `text`. */
  read(text: string): string;
}

/**
 * @returns null when the fields contradict each other, so that nobody can tell where the body ends (RFC 9112 §6.3).
 */
export function payloadOf(status: number, { codings, lengths }: FramingFields): Payload | null {
  if (codings.length + lengths.length > 1) return null;
  if (status === NO_CONTENT || status === NOT_MODIFIED) return new PlainPayload(0);
  const [coding] = codings;
  if (coding !== undefined) return /^chunked$/i.test(coding) ? new ChunkedPayload() : null;
  const [length] = lengths;
  if (length === undefined) return new PlainPayload(Infinity);
  return /^\d{1,15}$/.test(length) ? new PlainPayload(Number(length)) : null;
}

class PlainPayload implements Payload {
  readonly broken = false;
  /** Octets; infinite when the close of the connection ends the body. */
  #left: number;
  #isExceeded = false;

  constructor(length: number) {
    this.#left = length;
  }

  get ended(): boolean {
    return this.#left === 0;
  }

  get mayClose(): boolean {
    return this.#left === 0 || this.#left === Infinity;
  }

  get rest(): 'due' | 'none' | 'excess' {
    if (this.#isExceeded) return 'excess';
    return this.ended ? 'none' : 'due';
  }

  read(text: string): string {
    const payload = text.slice(0, this.#left);
    this.#left -= payload.length;
    this.#isExceeded ||= payload.length < text.length;
    return payload;
  }
}

class ChunkedPayload implements Payload {
  ended = false;
  broken = false;
  /** Framing that is not complete yet. */
  #rest = '';
  /** Octets of the present chunk that are still to come; its CRLF follows them. */
  #left = 0;
  #inChunk = false;

  get mayClose(): boolean {
    return this.ended;
  }

  get rest(): 'due' | 'none' | 'excess' {
    if (!this.ended) return this.broken ? 'excess' : 'due';
    if (this.#rest === END_WITHOUT_TRAILERS) return 'none';
    return END_WITHOUT_TRAILERS.startsWith(this.#rest) ? 'due' : 'excess';
  }

  read(text: string): string {
    let input = this.#rest + text;
    let payload = '';
    for (;;) {
      const data = input.slice(0, this.#left);
      payload += data;
      this.#left -= data.length;
      input = input.slice(data.length);
      const framing = this.#left > 0 || this.ended || this.broken ? -1 : this.#readFraming(input);
      if (framing === -1) break;
      input = input.slice(framing);
    }
    this.#rest = input;
    return payload;
  }

  /** @returns how many octets were read, -1 when there are too few, or none can follow. */
  #readFraming(input: string): number {
    const line = input.indexOf('\r\n');
    if (this.#inChunk) {
      this.broken = !'\r\n'.startsWith(input.slice(0, 2));
      if (line !== 0) return -1;
      this.#inChunk = false;
      return 2;
    }
    const size = line === -1 ? undefined : CHUNK_LINE.exec(input.slice(0, line))?.[1];
    if (size === undefined) {
      this.broken = line !== -1 || input.length > CHUNK_LINE_LIMIT;
      return -1;
    }
    this.#left = Number.parseInt(size, 16);
    this.#inChunk = true;
    this.ended = this.#left === 0;
    return line + 2;
  }
}
