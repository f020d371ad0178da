import { isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { NodeNameSchema } from '../model/node.ts';

/** Names the node whose manager has carried a call to this one: it is not carried again. */
export const CARRIED_BY = 'heimdall-carried-by';
/** The address of the client that called there. */
export const CARRIED_FOR = 'heimdall-carried-for';

/** Null: its client called this manager. */
export function carriedBy({ headers }: IncomingMessage): string | null {
  const name = NodeNameSchema.safeParse(headers[CARRIED_BY]);
  return name.success ? name.data : null;
}

/** The address of the client that a call was carried for; null: it was not, or that is not told. To be believed of managers only. */
export function carriedFor(request: IncomingMessage): string | null {
  const address = request.headers[CARRIED_FOR];
  return carriedBy(request) !== null && typeof address === 'string' && isIP(address) !== 0 ? address : null;
}
