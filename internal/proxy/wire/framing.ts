import { FIELD } from './field-kinds.ts';
import type { HeadParser } from './head-parser.ts';
import { trimmed } from './octets.ts';

/** How the end of a body is found (RFC 9112 §6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'until-close';

/** Why nobody can tell for sure where the body ends. */
export type FramingFault =
  | 'length-and-transfer-encoding'
  | 'transfer-encoding-in-http-1.0'
  | 'transfer-encoding-unknown'
  | 'chunked-not-last'
  | 'length-repeated'
  | 'length-invalid';

/** What the fields that frame a message say; `fault` decides before all else. */
export interface FieldFraming {
  readonly fault: FramingFault | null;
  readonly chunked: boolean;
  /** Octets; -1 when no length is given. */
  readonly length: number;
}

const MOST_DIGITS = 15;
const UNFRAMED: FieldFraming = { fault: null, chunked: false, length: -1 };
const CHUNKED: FieldFraming = { fault: null, chunked: true, length: -1 };

/** Reads `Content-Length` and `Transfer-Encoding`, which may each be there once and never together (RFC 9112 §6). */
export function fieldFraming(head: HeadParser): FieldFraming {
  const coding = head.first(FIELD.transferEncoding);
  if (coding !== undefined) return codingFraming(head, coding);
  const given = head.first(FIELD.contentLength);
  if (given === undefined) return UNFRAMED;
  if (head.hasSeveral(FIELD.contentLength)) return faulty('length-repeated');
  const length = parseLength(given);
  return length === -1 ? faulty('length-invalid') : { fault: null, chunked: false, length };
}

function codingFraming(head: HeadParser, coding: string): FieldFraming {
  if (head.minorVersion === 0) return faulty('transfer-encoding-in-http-1.0');
  if (head.has(FIELD.contentLength)) return faulty('length-and-transfer-encoding');
  if (/^chunked$/i.test(coding) && !head.hasSeveral(FIELD.transferEncoding)) return CHUNKED;
  const [first = ''] = coding.split(',');
  return faulty(trimmed(first).toLowerCase() === 'chunked' ? 'chunked-not-last' : 'transfer-encoding-unknown');
}

/** Digits and nothing but digits; -1 for anything else, and for more of them than always make an exact number. */
function parseLength(text: string): number {
  if (text.length === 0 || text.length > MOST_DIGITS) return -1;
  let length = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function faulty(fault: FramingFault): FieldFraming {
  return { fault, chunked: false, length: -1 };
}
