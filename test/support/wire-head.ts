import assert from 'node:assert/strict';
import { type HeadFault, type HeadLimits, HeadParser } from '../../internal/proxy/wire/head-parser.ts';

export const LIMITS: HeadLimits = { head: 16_384, fields: 100, target: 8_192 };

/** What a parser made of a text. */
export interface ReadHead {
  readonly fault: HeadFault | null;
  /** Octets of the head; -1 when it is not complete. */
  readonly length: number;
  /** Of a request: method, target. Of a response: status, reason. */
  readonly startLine: readonly (string | number)[];
  readonly minorVersion: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export type HeadKind = HeadParser['kind'];

/** @param cuts - how long the pieces are, one after the other; the last one is the rest. */
export function readHead(kind: HeadKind, text: string, cuts: readonly number[] = [], limits = LIMITS): ReadHead {
  const parser = new HeadParser(kind, limits);
  const length = scanPieces(parser, text, cuts);
  return shown(parser, length);
}

/** @returns the parser of a head that is complete and right. */
export function parsedHead(kind: HeadKind, text: string, limits = LIMITS): HeadParser {
  const parser = new HeadParser(kind, limits);
  const length = scanPieces(parser, text, []);
  assert.equal(parser.fault, null);
  assert.notEqual(length, -1, 'the head is not complete');
  return parser;
}

/** The fault of a text, which must be the same when it comes octet by octet. */
export function headFault(kind: HeadKind, text: string, limits = LIMITS): HeadFault | null {
  const whole = readHead(kind, text, [], limits);
  const dripping = readHead(kind, text, Array<number>(text.length).fill(1), limits);
  assert.deepEqual(dripping, whole, 'octet by octet it reads otherwise');
  return whole.fault;
}

/** Hands each piece over in a buffer of its own that is overwritten afterwards, as the shared read buffers are. */
export function scanPieces(parser: HeadParser, text: string, cuts: readonly number[]): number {
  const octets = Buffer.from(text, 'latin1');
  let start = 0;
  for (const cut of [...cuts, octets.length]) {
    const end = Math.min(start + cut, octets.length);
    const piece = Buffer.concat([Buffer.from('\n\n\n'), octets.subarray(start, end), Buffer.from('\r\n\r\n')]);
    const after = parser.scan(piece, 3, piece.length - 4);
    piece.fill('#');
    if (after !== -1) return start + after - 3;
    if (parser.fault !== null) return -1;
    start = end;
  }
  return -1;
}

function shown(parser: HeadParser, length: number): ReadHead {
  const { fault, text, minorVersion } = parser;
  if (length === -1) return { fault, length, startLine: [], minorVersion: 1, fields: [] };
  const startLine = {
    request: () => [
      text.slice(parser.methodStart, parser.methodEnd),
      text.slice(parser.methodEnd + 1, parser.targetEnd),
    ],
    response: () => [parser.status, text.slice(parser.reasonStart, parser.fieldsStart - 2)],
    trailers: () => [],
  }[parser.kind]();
  const fields = Array.from({ length: parser.count }, (_, i) => [parser.name(i), parser.value(i)] as const);
  return { fault, length, startLine, minorVersion, fields };
}
