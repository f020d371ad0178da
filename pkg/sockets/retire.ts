import type { Server as HttpServer } from 'node:http';
import { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a connection must have been idle before it is cut off, in milliseconds: a request may be on its way. */
const GRACE_MS = 500;

/**
 * Stops accepting, while a successor goes on with the same socket. What came before is still read and answered; `close` of
 * the server itself would cut off a connection whose request nobody has read yet.
 */
export async function stopAccepting(server: HttpServer): Promise<void> {
  Server.prototype.close.call(server);
  await sleep(GRACE_MS);
}
