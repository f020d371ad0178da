import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { z } from 'zod';
import { meaningOf, printable } from '../../pkg/http-guard/field-text.ts';
import { VersionSchema } from '../model/service.ts';
import { carriedBy, carriedFor } from './carried.ts';
import { invalid } from './input.ts';

/** Who asks, as far as that can be told. */
export interface Caller {
  /** What the client calls itself, which nobody checks; null: nothing. */
  readonly actor: string | null;
  /** Of the socket: what a proxy in front says of its clients is not believed; but see `callerOf`. */
  readonly address: string;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  /** The node whose manager has carried the call here; null: none, as far as can be believed. */
  readonly carriedBy: string | null;
}

/**
 * To be called before anything is awaited: of a connection that is gone, there is no address.
 * @param isKnown - whether it has shown the token: of such a one it is believed that it carries a call of somebody else.
 * @throws {HeimdallError} INVALID_REQUEST.
 */
export function callerOf(request: Request, isKnown: boolean): Caller {
  const client = isKnown ? carriedFor(request) : null;
  return {
    actor: actorOf(request),
    address: client ?? addressOf(request),
    carriedBy: client === null ? null : carriedBy(request),
    userAgent: printable(request.headers['user-agent']),
    requestId: printable(request.get('x-request-id')),
  };
}

/** Of whoever is at the other end of the connection. */
export function addressOf({ socket }: IncomingMessage): string {
  return (socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
}

function actorOf(request: Request): string | null {
  const value = request.get('heimdall-actor')?.trim();
  if (value === undefined) return null;
  const actor = VersionSchema.safeParse(meaningOf(value));
  if (actor.success) return actor.data;
  throw invalid('header.Heimdall-Actor', z.prettifyError(actor.error).replace(/^\W+/, ''));
}
