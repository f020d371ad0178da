import type { IncomingMessage } from 'node:http';
import { meaningOf, printable } from '../../pkg/http-guard/field-text.ts';

/** Who has something done on the admin port, for the log. Nobody checks the name; the address is that of the socket. */
export interface AskedBy {
  readonly actor: string;
  readonly address: string;
  readonly userAgent: string | null;
}

/** To be called before anything is awaited: of a connection that is gone, there is no address. */
export function askedBy({ headers, socket }: IncomingMessage): AskedBy {
  const name = headers['heimdall-actor'];
  return {
    actor: printable(typeof name === 'string' ? meaningOf(name.trim()) : null) ?? 'anonymous',
    address: socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? 'unknown',
    userAgent: printable(headers['user-agent']),
  };
}
