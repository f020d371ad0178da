import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a port that can be cut, or fall silent, and be mended. */
export class TcpSwitch {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #state: 'open' | 'cut' | 'silent' = 'open';

  private constructor(port: number) {
    this.#server = createServer((client) => this.#join(client, port));
  }

  static async to(port: number): Promise<TcpSwitch> {
    const made = new TcpSwitch(port);
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    return made;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  /** Connections end, and new ones with them. */
  cut(): void {
    this.#state = 'cut';
    this.#end();
  }

  /** Nothing gets through any more, and nobody is told. */
  silence(): void {
    this.#state = 'silent';
    for (const socket of this.#sockets) socket.pause().unpipe();
  }

  mend(): void {
    this.#state = 'open';
    this.#end();
  }

  async close(): Promise<void> {
    this.#end();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, port: number): void {
    if (this.#state === 'cut') client.resetAndDestroy();
    this.#keep(client);
    if (this.#state !== 'open') return;
    const upstream = this.#keep(connect(port, '127.0.0.1'));
    client.pipe(upstream);
    upstream.pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    return socket.on('close', () => this.#sockets.delete(socket));
  }

  #end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
