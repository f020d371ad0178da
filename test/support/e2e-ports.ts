import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Above the ports that the other tests draw from, below those that the system hands out to outgoing connections. */
const FIRST = 30_100;
const LAST = 32_699;
const BLOCK = 100;

/** A hundred ports in a row that no other run uses at the same time. */
export interface PortBlock {
  /** In use as long as the block is ours. */
  readonly taken: number;
  readonly manager: number;
  readonly proxy: number;
  readonly admin: number;
  /** Six ports for whatever a test runs itself. */
  readonly own: readonly number[];
  /** For instances: both ends included. */
  readonly from: number;
  readonly to: number;
  release(): Promise<void>;
}

/**
 * Who listens on the first port of a block has the whole block: the system keeps others out, and gives it back when the
 * test's process ends, however it ends.
 */
export async function claimPorts(): Promise<PortBlock> {
  const blocks = Math.floor((LAST - FIRST + 1) / BLOCK);
  const offset = Math.floor(Math.random() * blocks);
  for (let index = 0; index < blocks; index += 1) {
    const base = FIRST + ((offset + index) % blocks) * BLOCK;
    const claim = await listen(base);
    if (claim) return blockAt(base, claim);
  }
  throw new Error(`no free block of ports between ${FIRST} and ${LAST}`);
}

function blockAt(base: number, claim: Server): PortBlock {
  return {
    taken: base,
    manager: base + 1,
    proxy: base + 2,
    admin: base + 3,
    own: [4, 5, 6, 7, 8, 9].map((step) => base + step),
    from: base + 10,
    to: base + BLOCK - 1,
    async release() {
      const closed = once(claim, 'close');
      claim.close();
      await closed;
    },
  };
}

/** Null when the port is in use. */
async function listen(port: number): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return server;
  } catch {
    return null;
  }
}
