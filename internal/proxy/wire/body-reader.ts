import { trailerFields } from '../fields.ts';
import { type ChunkedFault, ChunkedScanner } from './chunked-scanner.ts';
import type { Framing } from './framing.ts';
import { type HeadFault, type HeadLimits, HeadParser } from './head-parser.ts';
import { CR, LF } from './octets.ts';

/** Called with ranges of a body's payload, without its framing. */
export type OnPayload = (from: number, to: number) => void;

/**
 * Finds the end of a body in octets that come in any pieces. The octets go on as they are, framing included, but for the
 * trailer section, whose fields are filtered.
 */
export class BodyReader {
  /** All of the body was read. */
  done = true;
  fault: ChunkedFault | HeadFault | null = null;
  /** What `read` found: the octets before this index go on as they are. */
  relayEnd = 0;
  /** When a chunked body is done: what is to follow its last chunk. */
  tail = '';
  #framing: Framing = 'none';
  /** Octets still to come, for `length`. */
  #left = 0;
  /** Octets of payload that were read, except of chunks. */
  #size = 0;
  #chunks: ChunkedScanner | null = null;
  #trailers: HeadParser | null = null;
  #limits: HeadLimits | null = null;

  /** @param limits - of a trailer section. */
  begin(framing: Framing, length: number, limits: HeadLimits): void {
    this.#framing = framing;
    this.#left = length;
    this.#size = 0;
    this.#limits = limits;
    this.#trailers = null;
    this.done = framing === 'none';
    this.fault = null;
    this.tail = '';
    if (framing !== 'chunked') return;
    this.#chunks ??= new ChunkedScanner();
    this.#chunks.reset();
  }

  /** Octets of payload so far. */
  get size(): number {
    return this.#framing === 'chunked' ? (this.#chunks?.size ?? 0) : this.#size;
  }

  /** Octets that must still come; 0 when that is not known. */
  get left(): number {
    return this.#left;
  }

  /**
   * Reads `chunk[from, to)`.
   * @returns the index after the body's last octet that is here; below `to` only when `done`, or when there is a `fault`.
   */
  read(chunk: Buffer, from: number, to: number, onPayload: OnPayload | null): number {
    if (this.#framing === 'chunked') return this.#readChunks(chunk, from, to, onPayload);
    const end = this.#framing === 'length' ? Math.min(to, from + this.#left) : this.#framing === 'none' ? from : to;
    this.#left = Math.max(this.#left - (end - from), 0);
    this.#size += end - from;
    this.relayEnd = end;
    if (this.#framing === 'length' && this.#left === 0) this.done = true;
    if (onPayload !== null && end > from) onPayload(from, end);
    return end;
  }

  /** No more octets will come. @returns whether that is the proper end of the body. */
  end(): boolean {
    if (this.#framing === 'until-close') this.done = true;
    return this.done;
  }

  #readChunks(chunk: Buffer, from: number, to: number, onPayload: OnPayload | null): number {
    const chunks = this.#chunks;
    if (chunks === null || this.#limits === null) return from;
    let at = from;
    if (!chunks.done) {
      at = chunks.scan(chunk, from, to, onPayload);
      this.fault = chunks.fault;
    }
    this.relayEnd = at;
    if (!chunks.done || this.fault !== null) return at;
    if (this.#trailers === null && chunk[at] === CR && chunk[at + 1] === LF && at + 2 <= to) {
      this.done = true;
      this.tail = '\r\n';
      return at + 2;
    }
    this.#trailers ??= new HeadParser('trailers', this.#limits);
    const end = this.#trailers.scan(chunk, at, to);
    this.fault = this.#trailers.fault;
    if (end === -1) return this.fault === null ? to : at;
    this.done = true;
    this.tail = trailerText(this.#trailers);
    return end;
  }
}

function trailerText(trailers: HeadParser): string {
  if (trailers.count === 0) return '\r\n';
  const fields = Array.from({ length: trailers.count }, (_, i) => [trailers.name(i), trailers.value(i)]).flat();
  const lines = trailerFields(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${lines.join('')}\r\n`;
}
