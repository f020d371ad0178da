import { FIELD, fieldKind } from './field-kinds.ts';
import { COLON, CR, IS_TARGET, IS_TOKEN, IS_VALUE, isBlank, LF, SP, TAB } from './octets.ts';

/** Why a head is refused: a rule of RFC 9112, or one of the limits. */
export type HeadFault =
  /** §3.1: the method is empty, too long, or no token. */
  | 'method-invalid'
  /** §3.2: an octet that no request target may have, such as a control character or `#`. */
  | 'target-invalid'
  | 'target-too-long'
  /** §3, §4: not the parts that a start line has, with one space between them. */
  | 'start-line-invalid'
  /** §2.3: another version than HTTP/1.0 and HTTP/1.1; also none at all (HTTP/0.9). */
  | 'version-unsupported'
  /** §4: not three digits, or below 100. */
  | 'status-invalid'
  /** §2.2: a line that ends with LF alone. */
  | 'bare-lf'
  /** §2.2: CR without LF. */
  | 'bare-cr'
  /** §5.5: NUL or another control character. */
  | 'control-character'
  /** §5.1: an empty name, or one that is no token. */
  | 'field-name-invalid'
  /** §5.1: whitespace between name and colon. */
  | 'space-before-colon'
  /** §5: a line without a colon. */
  | 'colon-missing'
  /** §5.2: a line that goes on with the field before it; §2.2: whitespace before the first field. */
  | 'line-folding'
  | 'head-too-large'
  | 'too-many-fields';

export interface HeadLimits {
  /** Octets of the whole head, its empty line included. */
  readonly head: number;
  readonly fields: number;
  /** Octets of the request target. */
  readonly target: number;
}

type HeadKind = 'request' | 'response' | 'trailers';

const LONGEST_METHOD = 64;
const VERSION = 'HTTP/1.';

/** What comes next; a head is read in this order. */
const START = 0;
const EMPTY_LINE_LF = 1;
const METHOD = 2;
const TARGET = 3;
const REQUEST_VERSION = 4;
const AFTER_VERSION = 5;
const STATUS_VERSION = 6;
const STATUS = 7;
const AFTER_STATUS = 8;
const REASON = 9;
const START_LINE_LF = 10;
const FIELD_START = 11;
const NAME = 12;
const BEFORE_VALUE = 13;
const VALUE = 14;
const FIELD_LF = 15;
const LAST_LF = 16;

/** What comes with a head is made into text along with it up to this many octets. */
const SHORT_REST = 4_096;
/** One more than the largest of `FIELD`. */
const KINDS = 1 + Math.max(...Object.values(FIELD));
/** Per field: where its name starts and ends, where its value starts and ends. */
const BOUNDS = 4;

/**
 * Reads one head (RFC 9112: start line, fields, empty line) or a trailer section from octets that may come in any
 * pieces, each octet once. Strict: what two programs could read differently is refused, never mended.
 *
 * When `scan` has returned a position, `text` is the head, and the offsets point into it; both last until the next `reset`.
 */
export class HeadParser {
  readonly kind: HeadKind;
  fault: HeadFault | null = null;
  /** One character per octet. What came with the head in one piece follows it, when it is short. */
  text = '';
  /** Octets of the head. */
  length = 0;
  /** The x of HTTP/1.x. */
  minorVersion = 1;
  /** Where the method starts: after at most one empty line, which some clients send after a body (§2.2). */
  methodStart = 0;
  /** The target starts one later. */
  methodEnd = 0;
  targetEnd = 0;
  /** Of a response. */
  status = 0;
  /** The reason phrase lasts from here to two before `fieldsStart`. */
  reasonStart = 0;
  fieldsStart = 0;
  /** Number of fields. */
  count = 0;
  #limits: HeadLimits;
  #state = START;
  /** How many octets of the version, or digits of the status, were read. */
  #matched = 0;
  #bounds = new Int32Array(BOUNDS * 32);
  #kinds = new Uint8Array(32);
  /** The kinds that occur, and those that occur more than once, as bits. */
  #present = 0;
  #repeated = 0;
  /** By kind: the index of its first field. */
  readonly #first = new Int16Array(KINDS);
  /** The pieces before the present one; empty while the first is read. */
  #held: Buffer | null = null;
  #heldLength = 0;

  constructor(kind: HeadKind, limits: HeadLimits) {
    this.kind = kind;
    this.#limits = limits;
    this.reset(limits);
  }

  /** Whether a part of a head was read, beyond the empty line that may come before it. */
  get begun(): boolean {
    return this.#heldLength > 0 && this.#state !== START && this.#state !== EMPTY_LINE_LF;
  }

  /** Makes it ready for another head. */
  reset(limits: HeadLimits): void {
    this.#limits = limits;
    this.#state = this.kind === 'request' ? START : this.kind === 'response' ? STATUS_VERSION : FIELD_START;
    this.#matched = 0;
    this.#heldLength = 0;
    this.methodStart = 0;
    this.fieldsStart = 0;
    this.status = 0;
    this.count = 0;
    this.fault = null;
  }

  /**
   * Reads `chunk[from, to)`.
   * @returns the index after the head's last octet; -1 when more must come, or when `fault` tells why it never will.
   */
  scan(chunk: Buffer, from: number, to: number): number {
    const room = this.#limits.head - this.#heldLength;
    const last = to - from > room ? from + room : to;
    const end = this.#read(chunk, from, last, this.#heldLength - from);
    if (this.fault !== null) return -1;
    if (end !== -1) {
      this.#finish(chunk, from, end, to);
      return end;
    }
    if (last < to) this.fault = 'head-too-large';
    else this.#hold(chunk, from, to);
    return -1;
  }

  /** One of `FIELD`. */
  kindOf(index: number): number {
    return this.#kinds[index] ?? 0;
  }

  /** Whether there is a field of a kind (one of `FIELD`). */
  has(kind: number): boolean {
    return (this.#present & (1 << kind)) !== 0;
  }

  /** Whether there are no fields of other kinds than those of `kinds`, as bits. */
  hasOnly(kinds: number): boolean {
    return (this.#present & ~kinds) === 0;
  }

  /** The value of the first field of a kind. */
  first(kind: number): string | undefined {
    if (!this.has(kind)) return undefined;
    return this.value(this.#first[kind] ?? 0);
  }

  /** All values of a kind as one list; empty when there is none. */
  all(kind: number): string {
    let list = this.first(kind) ?? '';
    if (!this.hasSeveral(kind)) return list;
    for (let i = (this.#first[kind] ?? 0) + 1; i < this.count; i += 1) {
      if (this.#kinds[i] === kind) list += `, ${this.value(i)}`;
    }
    return list;
  }

  /** Whether there is more than one field of a kind. */
  hasSeveral(kind: number): boolean {
    return (this.#repeated & (1 << kind)) !== 0;
  }

  /** Where the line of a field starts; it ends where the next one starts. For `count`: where the empty line starts. */
  lineStart(index: number): number {
    return index < this.count ? (this.#bounds[BOUNDS * index] ?? 0) : this.length - 2;
  }

  name(index: number): string {
    return this.text.slice(this.#bounds[BOUNDS * index], this.#bounds[BOUNDS * index + 1]);
  }

  /** Without the whitespace around it. */
  value(index: number): string {
    return this.text.slice(this.#bounds[BOUNDS * index + 2], this.#bounds[BOUNDS * index + 3]);
  }

  /** @param shift - what to add to an index of `chunk` for the offset in the head. */
  #read(chunk: Buffer, from: number, to: number, shift: number): number {
    const at = this.#state < FIELD_START ? this.#readStartLine(chunk, from, to, shift) : from;
    return at === -1 ? -1 : this.#readFields(chunk, at, to, shift);
  }

  /** @returns the index of the first field's first octet, or -1. */
  #readStartLine(chunk: Buffer, from: number, to: number, shift: number): number {
    let i = from;
    while (i < to) {
      const octet = chunk[i] ?? 0;
      switch (this.#state) {
        case START:
          if (octet === CR && i + shift === 0) {
            this.#state = EMPTY_LINE_LF;
            i += 1;
          } else {
            this.methodStart = i + shift;
            this.#state = METHOD;
          }
          break;
        case EMPTY_LINE_LF:
          if (octet !== LF) return this.#refuse('bare-cr');
          this.#state = START;
          i += 1;
          break;
        case METHOD:
          i = skip(IS_TOKEN, chunk, i, to);
          this.methodEnd = i + shift;
          if (this.methodEnd - this.methodStart > LONGEST_METHOD) return this.#refuse('method-invalid');
          if (i === to) return -1;
          if (chunk[i] !== SP || this.methodEnd === this.methodStart) return this.#refuseMethod(chunk[i]);
          i += 1;
          this.#state = TARGET;
          break;
        case TARGET:
          i = skip(IS_TARGET, chunk, i, to);
          this.targetEnd = i + shift;
          if (this.targetEnd - this.methodEnd - 1 > this.#limits.target) return this.#refuse('target-too-long');
          if (i === to) return -1;
          if (chunk[i] !== SP || this.targetEnd === this.methodEnd + 1) return this.#refuseTarget(chunk[i]);
          i += 1;
          this.#state = REQUEST_VERSION;
          break;
        case REQUEST_VERSION:
        case STATUS_VERSION:
          if (!this.#readVersion(octet)) return -1;
          i += 1;
          break;
        case AFTER_VERSION:
          if (octet !== CR) return this.#refuse(octet === LF ? 'bare-lf' : 'start-line-invalid');
          i += 1;
          this.#state = START_LINE_LF;
          break;
        case STATUS:
          if (!this.#readStatus(octet)) return -1;
          i += 1;
          break;
        case AFTER_STATUS:
          this.reasonStart = i + shift + (octet === SP ? 1 : 0);
          if (octet !== SP && octet !== CR) return this.#refuse(octet === LF ? 'bare-lf' : 'status-invalid');
          i += 1;
          this.#state = octet === SP ? REASON : START_LINE_LF;
          break;
        case REASON:
          i = skip(IS_VALUE, chunk, i, to);
          if (i === to) return -1;
          if (chunk[i] !== CR) return this.#refuse(chunk[i] === LF ? 'bare-lf' : 'control-character');
          i += 1;
          this.#state = START_LINE_LF;
          break;
        default: // START_LINE_LF
          if (octet !== LF) return this.#refuse('bare-cr');
          i += 1;
          this.fieldsStart = i + shift;
          this.#state = FIELD_START;
          return i;
      }
    }
    return -1;
  }

  /** @returns the index after the empty line, or -1. */
  #readFields(chunk: Buffer, from: number, to: number, shift: number): number {
    let state = this.#state;
    let at = BOUNDS * this.count;
    let i = from;
    while (i < to) {
      switch (state) {
        case FIELD_START:
          if (chunk[i] === CR) {
            state = LAST_LF;
            i += 1;
            break;
          }
          if (!this.#openField(chunk[i])) return -1;
          this.#bounds[at] = i + shift;
          state = NAME;
          break;
        case NAME:
          i = skip(IS_TOKEN, chunk, i, to);
          if (i === to) break;
          this.#bounds[at + 1] = i + shift;
          if (chunk[i] !== COLON || this.#bounds[at] === i + shift) return this.#refuseName(chunk[i]);
          i += 1;
          state = BEFORE_VALUE;
          break;
        case BEFORE_VALUE:
          while (i < to && (chunk[i] === SP || chunk[i] === TAB)) i += 1;
          if (i === to) break;
          this.#bounds[at + 2] = i + shift;
          state = VALUE;
          break;
        case VALUE:
          i = skip(IS_VALUE, chunk, i, to);
          if (i === to) break;
          if (chunk[i] !== CR) return this.#refuse(chunk[i] === LF ? 'bare-lf' : 'control-character');
          this.#bounds[at + 3] = i + shift;
          i += 1;
          state = FIELD_LF;
          break;
        case FIELD_LF:
          if (chunk[i] !== LF) return this.#refuse('bare-cr');
          i += 1;
          this.count += 1;
          at += BOUNDS;
          state = FIELD_START;
          break;
        default: // LAST_LF
          return chunk[i] === LF ? i + 1 : this.#refuse('bare-cr');
      }
    }
    this.#state = state;
    return -1;
  }

  /** The `#matched`th octet of `HTTP/1.x`, or what follows it in a status line. */
  #readVersion(octet: number): boolean {
    const isDigit = octet >= 0x30 && octet <= 0x39;
    if (this.#matched < VERSION.length) {
      if (octet === VERSION.charCodeAt(this.#matched)) {
        this.#matched += 1;
        return true;
      }
      // `HTTP/2.0` is a version, `HTTP/1,1` and `FOO` are none.
      const isOther = this.#matched === VERSION.length - 2 && isDigit;
      this.fault = isOther ? 'version-unsupported' : octet === LF ? 'bare-lf' : 'start-line-invalid';
      return false;
    }
    if (this.#matched === VERSION.length) {
      this.#matched += 1;
      this.minorVersion = octet - 0x30;
      if (this.minorVersion !== 0 && this.minorVersion !== 1) {
        this.fault = isDigit ? 'version-unsupported' : 'start-line-invalid';
        return false;
      }
      if (this.kind === 'request') this.#state = AFTER_VERSION;
      return true;
    }
    this.#matched = 0;
    this.#state = STATUS;
    if (octet !== SP) this.fault = octet === LF ? 'bare-lf' : 'start-line-invalid';
    return octet === SP;
  }

  #readStatus(octet: number): boolean {
    const digit = octet - 0x30;
    if (digit < (this.#matched === 0 ? 1 : 0) || digit > 9) {
      this.fault = octet === LF ? 'bare-lf' : 'status-invalid';
      return false;
    }
    this.status = this.status * 10 + digit;
    this.#matched += 1;
    if (this.#matched === 3) this.#state = AFTER_STATUS;
    return true;
  }

  #openField(octet: number | undefined): boolean {
    if (octet === SP || octet === TAB) this.fault = 'line-folding';
    else if (octet === LF) this.fault = 'bare-lf';
    else if (this.count >= this.#limits.fields) this.fault = 'too-many-fields';
    if (this.fault !== null) return false;
    if (this.count === this.#kinds.length) this.#grow();
    return true;
  }

  #refuse(fault: HeadFault): -1 {
    this.fault = fault;
    return -1;
  }

  #refuseMethod(octet: number | undefined): -1 {
    return this.#refuse(octet === LF ? 'bare-lf' : 'method-invalid');
  }

  /** A line that ends after the target is a request of HTTP/0.9. */
  #refuseTarget(octet: number | undefined): -1 {
    if (octet === CR) return this.#refuse('version-unsupported');
    if (octet === SP) return this.#refuse('start-line-invalid');
    return this.#refuse(octet === LF ? 'bare-lf' : 'target-invalid');
  }

  #refuseName(octet: number | undefined): -1 {
    if (octet === SP || octet === TAB) return this.#refuse('space-before-colon');
    if (octet === CR) return this.#refuse('colon-missing');
    return this.#refuse(octet === LF ? 'bare-lf' : 'field-name-invalid');
  }

  #grow(): void {
    const [bounds, kinds] = [this.#bounds, this.#kinds];
    this.#bounds = new Int32Array(2 * bounds.length);
    this.#bounds.set(bounds);
    this.#kinds = new Uint8Array(2 * kinds.length);
    this.#kinds.set(kinds);
  }

  #hold(chunk: Buffer, from: number, to: number): void {
    const needed = this.#heldLength + to - from;
    if (this.#held === null || this.#held.length < needed) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(2 * needed, 1_024), this.#limits.head));
      this.#held?.copy(larger, 0, 0, this.#heldLength);
      this.#held = larger;
    }
    chunk.copy(this.#held, this.#heldLength, from, to);
    this.#heldLength = needed;
  }

  #finish(chunk: Buffer, from: number, end: number, to: number): void {
    if (this.#held === null || this.#heldLength === 0) {
      this.length = end - from;
      this.text = chunk.toString('latin1', from, to - end > SHORT_REST ? end : to);
      this.#finishFields(chunk, from);
    } else {
      this.#hold(chunk, from, end);
      this.length = this.#heldLength;
      this.text = this.#held.toString('latin1', 0, this.#heldLength);
      this.#finishFields(this.#held, 0);
      this.#held = null;
    }
  }

  /** @param base - where the head starts in `octets`. */
  #finishFields(octets: Buffer, base: number): void {
    const bounds = this.#bounds;
    let present = 0;
    let repeated = 0;
    for (let field = 0; field < this.count; field += 1) {
      const at = BOUNDS * field;
      const valueStart = base + (bounds[at + 2] ?? 0);
      let end = base + (bounds[at + 3] ?? 0);
      while (end > valueStart && isBlank(octets[end - 1] ?? 0)) end -= 1;
      bounds[at + 3] = end - base;
      const kind = fieldKind(octets, base + (bounds[at] ?? 0), base + (bounds[at + 1] ?? 0));
      this.#kinds[field] = kind;
      const bit = 1 << kind;
      if ((present & bit) === 0) this.#first[kind] = field;
      else repeated |= bit;
      present |= bit;
    }
    this.#present = present;
    this.#repeated = repeated;
  }
}

/** @returns the index of the first octet from `from` on that is not in the table, or `to`. */
function skip(table: Uint8Array, chunk: Buffer, from: number, to: number): number {
  let i = from;
  while (i < to && table[chunk[i] ?? 0] === 1) i += 1;
  return i;
}
