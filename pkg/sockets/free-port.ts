import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * The port to listen on, once it is sure that nobody else does: several sockets of ours share a port, and so would any
 * other program of the same user, without an error.
 * @param port - 0: any.
 * @throws when the address cannot be bound.
 */
export async function freePort(host: string, port: number): Promise<number> {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  server.close();
  await once(server, 'close');
  return bound;
}
