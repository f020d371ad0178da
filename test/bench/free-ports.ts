import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that a system gives to outgoing connections: between our look and the bind nothing else takes one. */
const FIRST = 10_000;
const LAST = 32_000;

/** Hands out ports of 127.0.0.1 on which nothing listens, none twice. */
export class FreePorts {
  #next = FIRST + Math.floor(Math.random() * ((LAST - FIRST) / 2));

  /** @throws {Error} when there are not so many. */
  async take(count: number): Promise<readonly number[]> {
    const ports: number[] = [];
    while (ports.length < count) {
      if (this.#next > LAST) throw new Error(`fewer than ${count} free ports between ${FIRST} and ${LAST}`);
      const port = this.#next++;
      if (await isFree(port)) ports.push(port);
    }
    return ports;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
