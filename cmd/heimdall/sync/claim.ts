import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';

/**
 * Makes sure that nobody else on this machine keeps the same thing true. Held by a name in Linux's abstract namespace (unix(7)), which is
 * free again when the process ends, however it ends.
 * @throws {CommandError}
 */
export async function claim(thing: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const name = createHash('sha256').update(thing).digest('hex');
  const server = createServer((socket) => socket.destroy());
  server.listen(`\0heimdall-sync-${name}`).unref();
  try {
    await once(server, 'listening');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new CommandError(EXIT.failed, `another "heimdall sync" keeps ${thing} already; stop that one first`);
  }
}
