import type { Request } from 'express';
import { z } from 'zod';
import { meaningOf, printable } from '../../pkg/http-guard/field-text.ts';
import { VersionSchema } from '../model/service.ts';
import { invalid } from './input.ts';

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
  const actor = VersionSchema.safeParse(meaningOf(value));
  if (actor.success) return actor.data;
  throw invalid('header.Heimdall-Actor', z.prettifyError(actor.error).replace(/^\W+/, ''));
}
