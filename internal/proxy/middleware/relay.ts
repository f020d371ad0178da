import type { IncomingMessage, ServerResponse } from 'node:http';
import { endToEndFields, type RawFields, responseFields, trailerFields, valuesOf } from '../fields.ts';
import type { Lease } from '../lease.ts';
import { endResponse } from './respond.ts';
import { reasonOf } from './response-check.ts';

/** 100 is between us and the client; 101 is no interim response. */
const NOT_RELAYED = new Set([100, 101]);
const ADDS_UP = new Set(['set-cookie', 'vary']);

/** Passes an interim response on, such as 103 Early Hints. */
export function relayInformation(info: { statusCode: number; rawHeaders: string[] }, response: ServerResponse): void {
  if (NOT_RELAYED.has(info.statusCode) || response.headersSent || response.destroyed) return;
  if (response.req.httpVersion === '1.0' || typeof response.writeInformation !== 'function') return;
  // RFC 9110 §8.6: it has no length.
  response.writeInformation(
    info.statusCode,
    endToEndFields(info.rawHeaders, (name) => name === 'content-length'),
  );
}

export interface RelayOptions {
  readonly requestId: string;
  readonly setCookie: string | null;
  readonly limitFields: RawFields;
  /** Fields of ours, in place of the upstream's. */
  readonly replacing: RawFields;
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
  writeHead(from, to, status, options);
  flushLoneHead(from, to);
  watchStandstill(from, to, lease, options.idleMs);
  from.on('error', (error) => {
    lease.release({ kind: 'truncated', cause: error.message });
    breakOff(to);
  });
  from.on('end', () => {
    lease.release({ kind: 'completed', status });
    if (to.chunkedEncoding) to.addTrailers(trailerFields(from.rawTrailers));
    endResponse(to);
    destroyWhenStuck(to, options.idleMs);
  });
  from.pipe(to, { end: false });
}

function writeHead(from: IncomingMessage, to: ServerResponse, status: number, options: RelayOptions): void {
  const { requestId, setCookie, limitFields, replacing, closing } = options;
  // A request that is answered before it was read ends its connection: what follows cannot be told from its body.
  if (closing || !to.req.complete) to.shouldKeepAlive = false;
  const bodiless = to.req.method === 'HEAD' || status === 204 || status === 304;
  const chunked = !bodiless && to.req.httpVersion === '1.1' && valuesOf(from.rawHeaders, 'content-length').length === 0;
  const fields = responseFields(from.rawHeaders, { status, requestId, setCookie, chunked, replacing });
  fields.push(...limitFields);
  if (!isShared(to)) {
    to.writeHead(status, reasonOf(from), fields);
    return;
  }
  mergeFields(to, fields);
  to.writeHead(status, reasonOf(from));
}

/** An app around us has set fields, or wrapped `writeHead` to set more when the time comes: such code misreads a flat list. */
function isShared(to: ServerResponse): boolean {
  return Object.hasOwn(to, 'writeHead') || to.getHeaderNames().length > 0;
}

/** The upstream's fields go over those of the app, but for the ones that add up. */
function mergeFields(to: ServerResponse, fields: RawFields): void {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (!ADDS_UP.has(name.toLowerCase())) to.removeHeader(name);
  }
  for (let i = 0; i + 1 < fields.length; i += 2) to.appendHeader(fields[i] ?? '', fields[i + 1] ?? '');
}

/** Node holds the head back until the first body byte; one that comes alone must not wait for it. */
function flushLoneHead(from: IncomingMessage, to: ServerResponse): void {
  let bodySeen = false;
  from.once('data', () => {
    bodySeen = true;
  });
  setImmediate(() => {
    if (!bodySeen && !to.writableEnded && !to.destroyed) to.flushHeaders();
  });
}

/** While the client does not take what came, nothing can come: then the standstill is the client's. */
function watchStandstill(from: IncomingMessage, to: ServerResponse, lease: Lease, idleMs: number): void {
  const { socket } = from;
  const stalled = () => {
    if (to.writableNeedDrain) lease.release({ kind: 'client-closed' });
    else lease.release({ kind: 'truncated', cause: `no byte for ${idleMs} ms` });
    breakOff(to);
  };
  socket.setTimeout(idleMs);
  socket.once('timeout', stalled);
  const stop = () => socket.removeListener('timeout', stalled);
  from.once('end', stop).once('close', stop); // the connection goes back to the idle pool
}

/** Without chunks, as under HTTP/1.0, a client takes an orderly close for the end of the body: it gets a reset. */
function breakOff(to: ServerResponse): void {
  if (to.req.httpVersion === '1.0') to.socket?.resetAndDestroy();
  to.destroy();
}

/** The upstream is done with, the client's side may still be full: one that reads no more does not keep it for ever. */
function destroyWhenStuck(to: ServerResponse, idleMs: number): void {
  const { socket } = to;
  if (socket === null || to.writableFinished) return;
  const stuck = () => to.destroy();
  socket.setTimeout(idleMs);
  socket.once('timeout', stuck);
  to.once('close', () => socket.removeListener('timeout', stuck));
}
