import { type AnswerDetails, answerFor } from '../answer.ts';
import type { RawFields } from '../fields.ts';

export interface OwnAnswer extends AnswerDetails {
  readonly status: number;
  readonly requestId: string | null;
  readonly accept: string | undefined;
  /** The answer to a HEAD has no body. */
  readonly bodiless: boolean;
  /** Whether the connection ends with the answer. */
  readonly close: boolean;
}

/** The whole message of an answer that the load balancer gives itself. */
export function ownAnswer({ status, requestId, accept, bodiless, close, ...details }: OwnAnswer): string {
  const { title, type, body, retryAfter, fields } = answerFor(status, accept, details);
  const octets = Buffer.from(body, 'utf8').toString('latin1');
  const lines = [
    `HTTP/1.1 ${status} ${title}`,
    `Content-Type: ${type}`,
    `Content-Length: ${octets.length}`,
    'Cache-Control: no-store',
  ];
  if (requestId !== null) lines.push(`X-Request-Id: ${requestId}`);
  if (retryAfter !== null) lines.push(`Retry-After: ${retryAfter}`);
  if (close) lines.push('Connection: close');
  return `${lines.join('\r\n')}\r\n${fieldLines(fields)}\r\n${bodiless ? '' : octets}`;
}

/** How many octets of a message are its body. */
export function bodyOf(message: string): number {
  return message.length - message.indexOf('\r\n\r\n') - 4;
}

/** Each with its line end. */
function fieldLines(fields: RawFields): string {
  let lines = '';
  for (let at = 0; at + 1 < fields.length; at += 2) lines += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return lines;
}

/** To `OPTIONS *`: what this server can do as such (RFC 9110 §9.3.7). */
export function optionsAnswer(requestId: string, close: boolean): string {
  const connection = close ? 'Connection: close\r\n' : '';
  return `HTTP/1.1 204 No Content\r\nAllow: ${METHODS}\r\nX-Request-Id: ${requestId}\r\n${connection}\r\n`;
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE';
