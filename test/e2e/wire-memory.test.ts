import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { StartedProcess } from '../support/e2e-process.ts';
import { System } from '../support/e2e-system.ts';
import { LongBodyCheck, LongBodySender } from '../support/long-body.ts';
import { eventually } from '../support/proxy-raw.ts';
import { MemoryFollower, TELLS_MEMORY } from '../support/resident-memory.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** What the proxy's memory may grow by. */
const GROWTH = 64 * MIB;
/** What may be on the way between two ends: in the kernel’s buffers, ours and the proxy’s. */
const ON_THE_WAY = 64 * MIB;
const HEAD_END = Buffer.from('\r\n\r\n');

/** A backend and a client in this process, and a load balancer between them in a process of its own. */
class Line {
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
      afterHead(socket, (rest) => this.#serve(socket, rest));
    });
  }

  static async open(): Promise<Line> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const service = { name: 'web', servers: [`127.0.0.1:${port}`], healthCheck: { interval: '1h' } };
    const system = await System.create(() => ({ proxy: { engine: 'wire', threads: 1 }, services: [service] }));
    const proxy = system.start('load-balancer');
    await proxy.isReady();
    return new Line(server, system, proxy);
  }

  /** Sends a request without its body. @param serve - what the backend does with it, given what came behind its head. */
  async request(head: string, serve: (socket: Socket, rest: Buffer) => void): Promise<Socket> {
    this.#serve = serve;
    const socket = connect({ port: this.#system.ports.proxy, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.write(`${head}\r\nHost: a\r\nConnection: close\r\n\r\n`);
    return socket;
  }

  memory(): MemoryFollower {
    return new MemoryFollower(this.#proxy.pid);
  }

  async close(): Promise<void> {
    this.#server.close();
    await this.#system[Symbol.asyncDispose]();
  }
}

function afterHead(socket: Socket, go: (rest: Buffer) => void): void {
  let head = Buffer.alloc(0);
  socket.on('data', function read(chunk: Buffer) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(HEAD_END);
    if (end === -1) return;
    socket.off('data', read);
    go(head.subarray(end + HEAD_END.length));
  });
}

function check(socket: Socket, rest: Buffer): LongBodyCheck {
  const body = new LongBodyCheck();
  body.take(rest);
  socket.on('data', (chunk: Buffer) => body.take(chunk));
  return body;
}

/** Resolves when the sender has come to a halt, because nobody reads. */
async function heldBack(sender: () => LongBodySender | null): Promise<void> {
  let before = -1;
  let still = 0;
  await eventually('the sender is held back', () => {
    const sent = sender()?.sent ?? -1;
    still = sent === before && sent > 0 ? still + 1 : 0;
    before = sent;
    return still > 40;
  });
}

describe('a body of 1 GiB through the wire engine', { skip: !TELLS_MEMORY }, () => {
  let line: Line;
  before(async () => {
    line = await Line.open();
    await download(64 * MIB, false); // what the process needs in any case, it has from now on
  });
  after(() => line.close());

  async function download(length: number, pauses: boolean): Promise<void> {
    let sender: LongBodySender | null = null;
    using memory = line.memory();
    const client = await line.request('GET / HTTP/1.1', (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
      sender = new LongBodySender(socket, length);
      sender.pour();
    });
    let body: LongBodyCheck | null = null;
    afterHead(client, (rest) => {
      body = check(client, rest);
      if (pauses) client.pause();
    });
    if (pauses) {
      await heldBack(() => sender);
      const ahead = (sender as LongBodySender | null)?.sent ?? 0;
      assert.ok(ahead < ON_THE_WAY, `${ahead / MIB} MiB were read ahead`);
      client.resume();
    }
    await once(client, 'close');
    assert.equal((body as LongBodyCheck | null)?.received, length);
    console.log('growth', memory.growth / MIB);
    if (length > GROWTH) assert.ok(memory.growth < GROWTH, `the proxy grew by ${memory.growth / MIB} MiB`);
  }

  async function upload(length: number, pauses: boolean): Promise<void> {
    let backend: Socket | null = null;
    let body: LongBodyCheck | null = null;
    using memory = line.memory();
    const client = await line.request(`POST / HTTP/1.1\r\nContent-Length: ${length}`, (socket, rest) => {
      backend = socket;
      body = check(socket, rest);
      if (pauses) socket.pause();
      socket.on('data', () => {
        if (body?.received === length) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    let answer = '';
    client.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    const sender = new LongBodySender(client, length);
    sender.pour();
    if (pauses) {
      await heldBack(() => sender);
      assert.ok(sender.sent < ON_THE_WAY, `${sender.sent / MIB} MiB were read ahead`);
      (backend as Socket | null)?.resume();
    }
    await once(client, 'close');
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]+ok$/);
    console.log('growth', memory.growth / MIB);
    assert.ok(memory.growth < GROWTH, `the proxy grew by ${memory.growth / MIB} MiB`);
  }

  it('comes down in constant memory', () => download(GIB, false));
  it('comes down no faster than the client reads', () => download(GIB, true));
  it('goes up in constant memory', () => upload(GIB, false));
  it('goes up no faster than the backend reads', () => upload(GIB, true));
});
