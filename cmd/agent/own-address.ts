import { once } from 'node:events';
import { connect } from 'node:net';

const PATIENCE_MS = 2_000;

/** The address under which this host talks to another one. @throws when none of them can be reached. */
export async function addressTowards(urls: readonly string[]): Promise<string> {
  const faults: unknown[] = [];
  for (const url of urls) {
    const { hostname, port, protocol } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(port) || (protocol === 'https:' ? 443 : 80) });
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(PATIENCE_MS) });
      const { localAddress } = socket;
      if (localAddress !== undefined) return localAddress.replace(/^::ffff:(?=\d+\.)/, '');
    } catch (error) {
      faults.push(error);
    } finally {
      socket.on('error', () => {}).destroy();
    }
  }
  throw new AggregateError(faults, `none of ${urls.join(', ')} can be reached`);
}
