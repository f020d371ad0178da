import type { IncomingMessage, ServerResponse } from 'node:http';
import { responseFields } from '../fields.ts';
import type { Lease } from '../lease.ts';

/** 100 is the server's own business: Node already sent it when the client expected it. */
const CONTINUE = 100;

/** Passes an interim response on, such as 103 Early Hints. */
export function relayInformation(info: { statusCode: number; rawHeaders: string[] }, response: ServerResponse): void {
  if (info.statusCode === CONTINUE || response.headersSent || response.req.httpVersion === '1.0') return;
  if (typeof response.writeInformation === 'function') response.writeInformation(info.statusCode, info.rawHeaders);
}

export interface RelayOptions {
  readonly requestId: string;
  readonly setCookie: string | null;
  /** Longest standstill of the upstream connection in milliseconds. */
  readonly idleMs: number;
  /** The client's connection shall not be used again: this process is about to stop. */
  readonly closing: boolean;
}

/**
 * Passes a response on to the client, with backpressure. The lease ends with the upstream's last byte, not with the
 * client's: a slow reader must not occupy the upstream. A response that breaks off reaches the client as a broken
 * connection, never as a shorter but complete message.
 */
export function relayResponse(from: IncomingMessage, to: ServerResponse, lease: Lease, options: RelayOptions): void {
  const status = from.statusCode ?? 502;
  if (options.closing) to.shouldKeepAlive = false;
  to.writeHead(status, from.statusMessage, responseFields(from.rawHeaders, options.requestId, options.setCookie));
  let bodySeen = false;
  from.once('data', () => {
    bodySeen = true;
  });
  // Node holds the head back until the first body byte; one that comes alone must not wait for it.
  setImmediate(() => {
    if (!bodySeen && !to.writableEnded && !to.destroyed) to.flushHeaders();
  });
  const broken = (cause: string) => {
    lease.release({ kind: 'truncated', cause });
    to.destroy();
  };
  const stalled = () => broken(`no byte for ${options.idleMs} ms`);
  const { socket } = from;
  socket.setTimeout(options.idleMs);
  socket.once('timeout', stalled);
  from.once('close', () => socket.removeListener('timeout', stalled)); // the connection goes back to the idle pool
  from.on('error', (error) => broken(error.message));
  from.on('end', () => {
    lease.release({ kind: 'completed', status });
    if (to.chunkedEncoding) addTrailers(from, to);
    to.end();
  });
  from.pipe(to, { end: false });
}

function addTrailers(from: IncomingMessage, to: ServerResponse): void {
  const { rawTrailers } = from;
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawTrailers.length; i += 2) pairs.push([rawTrailers[i] ?? '', rawTrailers[i + 1] ?? '']);
  if (pairs.length > 0) to.addTrailers(pairs);
}
