import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { eventually } from './proxy-raw.ts';

/** Listens, and then does nothing at all, so that nobody accepts. */
const LISTENER = `
  const { parentPort, workerData: released } = require('node:worker_threads');
  const server = require('node:net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(released, 0, 0));
  });`;
/** More than the system completes for a listener with that backlog. */
const CONNECTIONS = 8;

/**
 * A port that answers no connect, as that of a host without power: its listener accepts nobody, and as many wait for that as
 * may, so that the system drops what else comes.
 */
export class DeafListener implements AsyncDisposable {
  readonly port: number;
  readonly #released: Int32Array;
  readonly #worker: Worker;
  readonly #waiting: readonly Socket[];

  private constructor(port: number, released: Int32Array, worker: Worker, waiting: readonly Socket[]) {
    this.port = port;
    this.#released = released;
    this.#worker = worker;
    this.#waiting = waiting;
  }

  static async open(): Promise<DeafListener> {
    const released = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(LISTENER, { eval: true, workerData: released });
    const [port]: number[] = await once(worker, 'message');
    const waiting = Array.from({ length: CONNECTIONS }, () => connect({ host: '127.0.0.1', port: port ?? 0 }));
    for (const socket of waiting) socket.on('error', () => {});
    await eventually('some wait to be accepted', () => waiting.some(({ connecting }) => !connecting));
    return new DeafListener(port ?? 0, released, worker, waiting);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#waiting) socket.destroy();
    Atomics.store(this.#released, 0, 1);
    Atomics.notify(this.#released, 0);
    await this.#worker.terminate();
  }
}
