import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';

/** A way to a server over which bytes take their time. */
export class SlowLine implements Disposable {
  /** Where it begins. */
  readonly url: string;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(listener: Server, url: string) {
    this.#listener = listener;
    this.url = url;
  }

  /**
   * @param target - where the server is.
   * @param host - where the line begins.
   * @param delayMs - each way.
   */
  static async lay({ hostname, port }: URL, host: string, delayMs: number): Promise<SlowLine> {
    const listener = createServer({ allowHalfOpen: true });
    await once(listener.listen(0, host), 'listening');
    const own = z.object({ port: z.int() }).parse(listener.address());
    const line = new SlowLine(listener, `http://${host}:${own.port}`);
    listener.on('connection', (near) => {
      const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      line.#relay(near, far, delayMs);
      line.#relay(far, near, delayMs);
    });
    return line;
  }

  #relay(from: Socket, to: Socket, delayMs: number): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => setTimeout(() => to.write(bytes), delayMs)); // timers of one length keep their order
    from.on('end', () => setTimeout(() => to.end(), delayMs));
    from.on('error', () => setTimeout(() => to.destroy(), delayMs));
    from.on('close', () => this.#sockets.delete(from));
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
