import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AnswerDetails, answerFor } from '../answer.ts';
import type { RawFields } from '../fields.ts';

/**
 * How long a connection stays open, in milliseconds, after an answer that came before the request's end. A connection
 * that is closed while bytes arrive is reset, and the reset can overtake the answer.
 */
const LINGER_MS = 1_000;

/**
 * Sends an answer of our own. When the request's body was not read to its end, the connection is closed after it.
 * @returns octets of its body.
 */
export function sendAnswer(
  response: ServerResponse,
  requestId: string,
  status: number,
  accept: string | undefined,
  details: AnswerDetails = {},
): number {
  const answer = answerFor(status, accept, details);
  const length = Buffer.byteLength(answer.body);
  if (!response.req.complete) response.shouldKeepAlive = false;
  response.writeHead(answer.status, {
    'Content-Type': answer.type,
    'Content-Length': length,
    'Cache-Control': 'no-store',
    'X-Request-Id': requestId,
    ...(answer.retryAfter === null ? {} : { 'Retry-After': String(answer.retryAfter) }),
    ...Object.fromEntries(pairsOf(answer.fields)),
  });
  response.write(answer.body);
  endResponse(response);
  return response.req.method === 'HEAD' ? 0 : length;
}

/** Ends a response whose body is written; one that came before the end of its request leaves the client time to read it. */
export function endResponse(response: ServerResponse): void {
  const { req } = response;
  if (req.complete || req.destroyed) {
    response.end();
    return;
  }
  response.flushHeaders();
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  req.once('end', end).once('close', end).resume();
}

/**
 * Answers on the bare connection: where there is no request, or none that has a response object.
 * @returns octets of the answer's body.
 */
export function refuseSocket(
  socket: Duplex,
  status: number,
  requestId: string,
  accept?: string,
  details: AnswerDetails = {},
): number {
  const answer = answerFor(status, accept, details);
  const length = Buffer.byteLength(answer.body);
  const head = [
    `HTTP/1.1 ${status} ${answer.title}`,
    'Connection: close',
    `Content-Type: ${answer.type}`,
    `Content-Length: ${length}`,
    'Cache-Control: no-store',
    `X-Request-Id: ${requestId}`,
    ...(answer.retryAfter === null ? [] : [`Retry-After: ${answer.retryAfter}`]),
    ...pairsOf(answer.fields).map(([name, value]) => `${name}: ${value}`),
  ];
  closeAfterEnd(socket);
  socket.end(`${head.join('\r\n')}\r\n\r\n${answer.body}`);
  return length;
}

function pairsOf(fields: RawFields): (readonly [name: string, value: string])[] {
  return fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? ''] as const] : []));
}

/** Once our side of a connection has ended, the other has a moment to end its own: it may not even be there any more. */
export function closeAfterEnd(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
    if (socket.listenerCount('data') === 0) socket.resume(); // nobody else reads it, and the end comes after the data
  });
}
