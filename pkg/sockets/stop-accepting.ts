import { Server } from 'node:net';

/**
 * Gives the listening socket up, and nothing else. An HTTP server's own `close` cuts off what is idle, and with it
 * connections that were accepted a moment ago and not read yet.
 */
export function stopAccepting(server: Server): void {
  Server.prototype.close.call(server);
}
