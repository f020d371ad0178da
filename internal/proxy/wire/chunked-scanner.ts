import { CR, DQUOTE, EQUALS, HEX_DIGIT, IS_TOKEN, IS_VALUE, LF, SEMICOLON } from './octets.ts';

/** Why a chunked body is refused (RFC 9112 §7.1). */
export type ChunkedFault =
  /** A line where a size must be begins with none. */
  | 'chunk-size-missing'
  /** An octet that is no hexadecimal digit: whitespace, a sign, an `x`, an underscore. */
  | 'chunk-size-invalid'
  /** Above 2^53 − 1, or of more than 16 digits: other programs may cut it off. */
  | 'chunk-size-too-large'
  /** §7.1.1: not `;name`, `;name=token` or `;name="string"`; whitespace outside of a string is refused, too. */
  | 'chunk-extension-invalid'
  /** One of the two limits for extensions. */
  | 'chunk-extension-too-long'
  /** §2.2: LF without CR, or CR without LF, at the end of a size's line. */
  | 'chunk-line-end-invalid'
  /** The data is not followed by CRLF: it is longer or shorter than its size says. */
  | 'chunk-data-end-invalid';

const MAX_SIZE_DIGITS = 16;
/** Octets from the first `;` to the end of the line. */
const MAX_EXTENSION = 256;
/** Octets of all extensions of one message. */
const MAX_EXTENSIONS = 4_096;

/** What comes next. */
const SIZE_START = 0;
const SIZE = 1;
const EXTENSION_NAME_START = 2;
const EXTENSION_NAME = 3;
const EXTENSION_VALUE_START = 4;
const EXTENSION_TOKEN = 5;
const EXTENSION_STRING = 6;
const EXTENSION_ESCAPED = 7;
const EXTENSION_AFTER_STRING = 8;
const LINE_LF = 9;
const DATA = 10;
const DATA_CR = 11;
const DATA_LF = 12;

const BACKSLASH = 0x5c;

/**
 * Follows the framing of a chunked body whose octets may come in any pieces and go on unchanged. So whatever another
 * program could read differently is refused. The extensions of one line may have 256 octets, those of a message 4 KiB:
 * nobody uses them, and they would be octets without end that carry nothing.
 *
 * The cost is that of the framing alone: data is skipped, not looked at.
 */
export class ChunkedScanner {
  /** Octets of payload so far, without the framing. */
  size = 0;
  fault: ChunkedFault | null = null;
  /** The line of the last chunk was read: the trailer section follows. */
  done = false;
  #state = SIZE_START;
  #digits = 0;
  /** Of the present chunk: first its size, then what is still to come. */
  #left = 0;
  #extension = 0;
  #extensions = 0;

  /** Makes it ready for another body. */
  reset(): void {
    this.size = 0;
    this.fault = null;
    this.done = false;
    this.#startLine();
    this.#extensions = 0;
  }

  /**
   * Reads `chunk[from, to)`.
   * @param onData - called with the ranges that are payload; null when nobody needs the body without its framing.
   * @returns the index after the last octet that belongs to the framed body, the line of the last chunk included; below
   * `to` only when `done`, or when there is a `fault`: then it is the index of the octet that is wrong.
   */
  scan(chunk: Buffer, from: number, to: number, onData: ((from: number, to: number) => void) | null): number {
    let at = from;
    while (at < to && !this.done) {
      if (this.#state === DATA) {
        const end = Math.min(to, at + this.#left);
        this.#skipData(end - at);
        onData?.(at, end);
        at = end;
      } else {
        this.fault ??= this.#readFraming(chunk[at] ?? 0);
        if (this.fault !== null) return at;
        at += 1;
      }
    }
    return at;
  }

  #skipData(length: number): void {
    this.size += length;
    this.#left -= length;
    if (this.#left === 0) this.#state = DATA_CR;
  }

  #readFraming(octet: number): ChunkedFault | null {
    switch (this.#state) {
      case SIZE_START:
      case SIZE:
        return this.#readSize(octet);
      case LINE_LF:
        if (octet !== LF) return 'chunk-line-end-invalid';
        this.done = this.#left === 0;
        this.#state = DATA;
        return null;
      case DATA_CR:
        this.#state = DATA_LF;
        return octet === CR ? null : 'chunk-data-end-invalid';
      case DATA_LF:
        this.#startLine();
        return octet === LF ? null : 'chunk-data-end-invalid';
      default:
        return this.#readExtension(octet);
    }
  }

  #startLine(): void {
    this.#state = SIZE_START;
    this.#digits = 0;
    this.#left = 0;
    this.#extension = 0;
  }

  #readSize(octet: number): ChunkedFault | null {
    const digit = HEX_DIGIT[octet] ?? -1;
    if (digit === -1) return this.#endSize(octet);
    this.#state = SIZE;
    this.#digits += 1;
    this.#left = 16 * this.#left + digit;
    const tooLarge = this.#digits > MAX_SIZE_DIGITS || this.#left > Number.MAX_SAFE_INTEGER;
    return tooLarge ? 'chunk-size-too-large' : null;
  }

  #endSize(octet: number): ChunkedFault | null {
    if (octet === LF) return 'chunk-line-end-invalid';
    const ends = octet === CR || octet === SEMICOLON;
    if (this.#state === SIZE_START) return ends ? 'chunk-size-missing' : 'chunk-size-invalid';
    return ends ? this.#endPart(octet) : 'chunk-size-invalid';
  }

  /** After a size, or after a whole extension: the line ends here, or another extension begins. */
  #endPart(octet: number): ChunkedFault | null {
    if (octet === CR) {
      this.#state = LINE_LF;
      return null;
    }
    this.#state = EXTENSION_NAME_START;
    return this.#countExtension();
  }

  #countExtension(): ChunkedFault | null {
    this.#extension += 1;
    this.#extensions += 1;
    const tooLong = this.#extension > MAX_EXTENSION || this.#extensions > MAX_EXTENSIONS;
    return tooLong ? 'chunk-extension-too-long' : null;
  }

  #readExtension(octet: number): ChunkedFault | null {
    if (octet === LF) return 'chunk-line-end-invalid';
    if (octet === CR || octet === SEMICOLON) {
      const state = this.#state;
      if (state === EXTENSION_NAME || state === EXTENSION_TOKEN || state === EXTENSION_AFTER_STRING) {
        return this.#endPart(octet);
      }
    }
    const next = nextState(this.#state, octet);
    if (next === -1) return 'chunk-extension-invalid';
    this.#state = next;
    return this.#countExtension();
  }
}

/** Inside of an extension: what comes after this octet; -1 when it must not be there. */
function nextState(state: number, octet: number): number {
  const isToken = IS_TOKEN[octet] === 1;
  switch (state) {
    case EXTENSION_NAME_START:
      return isToken ? EXTENSION_NAME : -1;
    case EXTENSION_NAME:
      if (octet === EQUALS) return EXTENSION_VALUE_START;
      return isToken ? EXTENSION_NAME : -1;
    case EXTENSION_VALUE_START:
      if (octet === DQUOTE) return EXTENSION_STRING;
      return isToken ? EXTENSION_TOKEN : -1;
    case EXTENSION_TOKEN:
      return isToken ? EXTENSION_TOKEN : -1;
    case EXTENSION_STRING:
      if (octet === DQUOTE) return EXTENSION_AFTER_STRING;
      if (octet === BACKSLASH) return EXTENSION_ESCAPED;
      return IS_VALUE[octet] === 1 ? EXTENSION_STRING : -1;
    case EXTENSION_ESCAPED:
      return IS_VALUE[octet] === 1 ? EXTENSION_STRING : -1;
    default: // EXTENSION_AFTER_STRING
      return -1;
  }
}
