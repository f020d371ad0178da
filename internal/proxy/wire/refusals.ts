import type { AnswerDetails } from '../answer.ts';
import { RATE_LIMITED } from '../rate-limit/rate-limiter.ts';
import type { Termination } from '../termination.ts';
import type { RequestReason } from './request-head.ts';

/** Undefined: what the status says anyway. */
type Refusal = readonly [status: number, detail?: string];

/** What the client is told about a request that is refused: the status, and which rule it broke. */
const REFUSALS: Readonly<Record<RequestReason, Refusal>> = {
  'method-invalid': [400, 'The method is not a token.'],
  'target-invalid': [400, 'The request target has a character that no target may have.'],
  'target-too-long': [414],
  'start-line-invalid': [400, 'The request line is not "method target version", with one space between them.'],
  'version-unsupported': [505],
  'status-invalid': [400],
  'bare-lf': [400, 'A line ends with LF alone instead of CR LF.'],
  'bare-cr': [400, 'A CR is not followed by LF.'],
  'control-character': [400, 'A header field has a control character in its value.'],
  'field-name-invalid': [400, 'The name of a header field is not a token.'],
  'space-before-colon': [400, 'There is whitespace between the name of a header field and its colon.'],
  'colon-missing': [400, 'A header field has no colon.'],
  'line-folding': [400, 'A header field goes on in a second line.'],
  'head-too-large': [431],
  'too-many-fields': [431, 'The request has too many header fields.'],
  'length-and-transfer-encoding': [400, 'Content-Length and Transfer-Encoding exclude each other.'],
  'transfer-encoding-in-http-1.0': [400, 'Transfer-Encoding is not part of HTTP/1.0.'],
  'transfer-encoding-unknown': [501, 'The only transfer coding this server understands is "chunked".'],
  'chunked-not-last': [400, 'After the transfer coding "chunked" there can be no other.'],
  'length-repeated': [400, 'There is more than one Content-Length.'],
  'length-invalid': [400, 'Content-Length is not one plain number.'],
  'host-missing': [400, 'The request has no Host field.'],
  'host-repeated': [400, 'The request has more than one Host field.'],
  'host-invalid': [400, 'The Host field is not valid.'],
  'host-mismatch': [400, 'The request target names another host than the Host field.'],
  'target-form-invalid': [400, 'The request target is neither a path nor an absolute URL.'],
  'connect-refused': [501, 'This server is no forward proxy: it does not connect to other hosts.'],
  'body-too-large': [413],
};

export interface RefusalAnswer {
  readonly status: number;
  readonly termination: Termination;
  /** For the log. */
  readonly reason: string | null;
  /** For the log, too; null: the request was for none, or nobody knows. */
  readonly service: string | null;
  readonly details: AnswerDetails;
}

/** Of a service to which the client has sent too many requests. */
export function limited(service: string, details: AnswerDetails): RefusalAnswer {
  const { status, termination, refusal: reason } = RATE_LIMITED;
  return { status, termination, reason, service, details };
}

export function refusalFor(reason: RequestReason): RefusalAnswer {
  const [status, detail] = REFUSALS[reason];
  return { status, termination: 'refused', reason, service: null, details: { detail } };
}
