import { FIELD } from './field-kinds.ts';
import type { HeadParser } from './head-parser.ts';

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

/** As many digits as always make an exact number. */
const LENGTH = /^\d{1,15}$/;
const UNFRAMED: FieldFraming = { fault: null, chunked: false, length: -1 };
const CHUNKED: FieldFraming = { fault: null, chunked: true, length: -1 };

/** Reads `Content-Length` and `Transfer-Encoding`, which may each be there once and never together (RFC 9112 §6). */
export function fieldFraming(head: HeadParser): FieldFraming {
  if (!head.has(FIELD.contentLength) && !head.has(FIELD.transferEncoding)) return UNFRAMED;
  let length: string | undefined;
  let coding: string | undefined;
  let lengths = 0;
  let codings = 0;
  for (let i = 0; i < head.count; i += 1) {
    const kind = head.kindOf(i);
    if (kind === FIELD.contentLength) {
      length = head.value(i);
      lengths += 1;
    } else if (kind === FIELD.transferEncoding) {
      coding ??= head.value(i);
      codings += 1;
    }
  }
  if (coding !== undefined) return codingFraming(coding, codings, lengths, head.minorVersion);
  if (length === undefined) return UNFRAMED;
  if (lengths > 1) return faulty('length-repeated');
  return LENGTH.test(length) ? { fault: null, chunked: false, length: Number(length) } : faulty('length-invalid');
}

function codingFraming(coding: string, codings: number, lengths: number, minorVersion: number): FieldFraming {
  if (minorVersion === 0) return faulty('transfer-encoding-in-http-1.0');
  if (lengths > 0) return faulty('length-and-transfer-encoding');
  if (codings === 1 && /^chunked$/i.test(coding)) return CHUNKED;
  const [first = ''] = coding.split(',');
  return faulty(first.trim().toLowerCase() === 'chunked' ? 'chunked-not-last' : 'transfer-encoding-unknown');
}

function faulty(fault: FramingFault): FieldFraming {
  return { fault, chunked: false, length: -1 };
}
