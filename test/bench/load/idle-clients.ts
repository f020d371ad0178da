import { connect, type Socket } from 'node:net';

/** How many are being opened at once. */
const AT_ONCE = 64;
const ANSWER_MS = 10_000;

/** Keep-alive connections that have made one request and then keep silent. */
export class IdleClients implements Disposable {
  readonly #sockets: readonly Socket[];

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
  }

  /** @throws {Error} when any of them is not answered. */
  static async open(port: number, count: number, signal: AbortSignal): Promise<IdleClients> {
    const sockets: Socket[] = [];
    let left = count;
    const openSome = async () => {
      while (left > 0) {
        signal.throwIfAborted();
        left -= 1;
        sockets.push(await openOne(port));
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, openSome));
    } catch (error) {
      left = 0;
      for (const socket of sockets) socket.destroy();
      throw error;
    }
    return new IdleClients(sockets);
  }

  /** How many are still open. */
  get open(): number {
    return this.#sockets.filter(({ readyState }) => readyState === 'open').length;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function openOne(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
  socket.on('connect', () => socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`));
  socket.once('data', (chunk) => {
    socket.setTimeout(0);
    const answer = chunk.toString('latin1');
    if (answer.startsWith('HTTP/1.1 200')) resolve(socket);
    else socket.destroy(new Error(`answered with ${answer.slice(0, 64)}`));
  });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('closed before the answer')));
  return promise;
}
