import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { StartedProcess } from './e2e-process.ts';
import { System } from './e2e-system.ts';
import { LongBodyCheck, LongBodySender } from './long-body.ts';
import { eventually } from './proxy-raw.ts';
import { MemoryFollower } from './resident-memory.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const OK = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
/** So often the sender must be seen where it was, to count as held back. */
const STILL = 40;

export interface Passage {
  /** Octets that came through, and were right. */
  readonly received: number;
  /** Octets by which the proxy's memory grew at most. */
  readonly growth: number;
  /** Octets that the sender could get rid of while nobody read; 0 when the reader never paused. */
  readonly ahead: number;
}

/** A client and a backend in this process, with a load balancer between them, of one thread, in a process of its own. */
export class BodyLine implements AsyncDisposable {
  readonly #server: Server;
  readonly #system: System;
  readonly #proxy: StartedProcess;
  #serve: (socket: Socket, rest: Buffer) => void = () => {};

  private constructor(server: Server, system: System, proxy: StartedProcess) {
    this.#server = server;
    this.#system = system;
    this.#proxy = proxy;
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      afterHead(socket, (rest, head) => {
        if (head.startsWith('GET /health')) socket.end(OK);
        else this.#serve(socket, rest);
      });
    });
  }

  static async open(): Promise<BodyLine> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const services = [{ name: 'web', servers: [`127.0.0.1:${port}`] }];
    const system = await System.create(() => ({ proxy: { engine: 'wire', threads: 1 }, services }));
    const proxy = system.start('load-balancer');
    await proxy.isReady();
    return new BodyLine(server, system, proxy);
  }

  /** @param pauses - the client reads nothing until the backend is held back. */
  async download(length: number, pauses: boolean): Promise<Passage> {
    const sending = Promise.withResolvers<LongBodySender>();
    const checking = Promise.withResolvers<LongBodyCheck>();
    using memory = new MemoryFollower(this.#proxy.pid);
    const client = await this.#request('GET / HTTP/1.1', (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`);
      sending.resolve(new LongBodySender(socket, length));
    });
    afterHead(client, (rest) => {
      checking.resolve(checked(client, rest));
      if (pauses) client.pause();
    });
    const sender = await sending.promise;
    const closed = once(client, 'close');
    sender.pour();
    const body = await checking.promise;
    const ahead = pauses ? await heldBack(sender) : 0;
    client.resume();
    await closed;
    return { received: body.received, growth: memory.growth, ahead };
  }

  /** @param pauses - the backend reads nothing until the client is held back. */
  async upload(length: number, pauses: boolean): Promise<Passage> {
    const checking = Promise.withResolvers<LongBodyCheck>();
    const reading = Promise.withResolvers<Socket>();
    using memory = new MemoryFollower(this.#proxy.pid);
    const client = await this.#request(`POST / HTTP/1.1\r\nContent-Length: ${length}`, (socket, rest) => {
      const body = checked(socket, rest);
      if (pauses) socket.pause();
      socket.on('data', () => {
        if (body.received === length) socket.write(OK);
      });
      checking.resolve(body);
      reading.resolve(socket);
    });
    const closed = once(client.resume(), 'close');
    const sender = new LongBodySender(client, length);
    sender.pour();
    const [body, backend] = await Promise.all([checking.promise, reading.promise]);
    const ahead = pauses ? await heldBack(sender) : 0;
    backend.resume();
    await closed;
    return { received: body.received, growth: memory.growth, ahead };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await this.#system[Symbol.asyncDispose]();
  }

  /** Sends a request without its body. @param serve - what the backend does with it, given what came behind its head. */
  async #request(head: string, serve: (socket: Socket, rest: Buffer) => void): Promise<Socket> {
    this.#serve = serve;
    const socket = connect({ port: this.#system.ports.proxy, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.write(`${head}\r\nHost: a\r\nConnection: close\r\n\r\n`);
    return socket;
  }
}

function afterHead(socket: Socket, go: (rest: Buffer, head: string) => void): void {
  let read = Buffer.alloc(0);
  const take = (chunk: Buffer) => {
    read = Buffer.concat([read, chunk]);
    const end = read.indexOf(HEAD_END);
    if (end === -1) return;
    socket.off('data', take);
    go(read.subarray(end + HEAD_END.length), read.toString('latin1', 0, end));
  };
  socket.on('data', take);
}

function checked(socket: Socket, rest: Buffer): LongBodyCheck {
  const body = new LongBodyCheck();
  body.take(rest);
  socket.on('data', (chunk: Buffer) => body.take(chunk));
  return body;
}

/** Resolves when the sender has come to a halt, because nobody reads. @returns what it has sent. */
async function heldBack(sender: LongBodySender): Promise<number> {
  let before = -1;
  let still = 0;
  await eventually('the sender is held back', () => {
    still = sender.sent === before ? still + 1 : 0;
    before = sender.sent;
    return still > STILL;
  });
  return before;
}
