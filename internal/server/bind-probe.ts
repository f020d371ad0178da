import { createServer, isIP } from 'node:net';

/** The wildcard of both families, and loopback because some systems let a wildcard bind beside a listener on one address. */
const ADDRESSES = ['0.0.0.0', '127.0.0.1', '::'] as const;
/** The machine has no such address family: nothing can hold the port there. */
const NO_SUCH_FAMILY = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/**
 * Whether the port can be bound on every local address right now; it is released again at once.
 * @param host - another address that matters; one that this machine does not have, and a name, tell nothing.
 */
export async function isPortFree(port: number, host?: string): Promise<boolean> {
  const others = host === undefined || isIP(host) === 0 ? [] : [host];
  for (const address of new Set([...ADDRESSES, ...others])) if (!(await canBind(port, address))) return false;
  return true;
}

function canBind(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve('code' in error && NO_SUCH_FAMILY.has(String(error.code))));
    server.listen({ port, host, ipv6Only: host === '::', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
