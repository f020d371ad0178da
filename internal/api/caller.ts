import type { Request } from 'express';
import { z } from 'zod';
import { VersionSchema } from '../model/service.ts';
import { invalid } from './input.ts';

const LONGEST = 100;

/** Who asks, as far as that can be told. */
export interface Caller {
  /** What the client calls itself, which nobody checks; null: nothing. */
  readonly actor: string | null;
  /** Of the socket: what a proxy in front says of its clients is not believed. */
  readonly address: string;
  readonly userAgent: string | null;
  readonly requestId: string | null;
}

/** To be called before anything is awaited: of a connection that is gone, there is no address. @throws {HeimdallError} INVALID_REQUEST. */
export function callerOf(request: Request): Caller {
  const address = request.socket.remoteAddress ?? 'unknown';
  return {
    actor: actorOf(request),
    address: address.replace(/^::ffff:(?=\d+\.)/, ''),
    userAgent: printable(request.headers['user-agent']),
    requestId: printable(request.get('x-request-id')),
  };
}

function actorOf(request: Request): string | null {
  const value = request.get('heimdall-actor')?.trim();
  if (value === undefined) return null;
  const actor = VersionSchema.safeParse(unescaped(fromUtf8(value)));
  if (actor.success) return actor.data;
  throw invalid('header.Heimdall-Actor', z.prettifyError(actor.error).replace(/^\W+/, ''));
}

/** Field values are read as Latin-1 octet by octet; what is UTF-8 is meant as such. */
function fromUtf8(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

/** A browser can send ASCII alone, and our client does: the rest is percent-encoded. */
function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** For what is only shown: shortened, and without what a terminal might obey. Null when nothing is left. */
export function printable(value: string | null | undefined): string | null {
  const text = value?.replace(/\p{C}/gu, '').slice(0, LONGEST) ?? '';
  return text === '' ? null : text;
}
