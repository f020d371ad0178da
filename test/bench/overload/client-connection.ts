import { connect, type Socket } from 'node:net';

const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';
const HEAD_END = '\r\n\r\n';

/** A client's connection: one request after the other, for as long as both sides want. */
export class ClientConnection {
  readonly #socket: Socket;
  #text = '';
  #answered: ((status: number | null) => void) | null = null;
  #usable = true;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('error', () => {}); // `close` follows
    this.#socket.on('close', () => this.#end(null));
    this.#socket.on('end', () => this.close());
    this.#socket.on('data', (chunk) => this.#read(chunk.toString('latin1')));
  }

  get isUsable(): boolean {
    return this.#usable;
  }

  /** Resolves with the status; null when none came in time, or the connection broke. */
  ask(patienceMs: number): Promise<number | null> {
    const { promise, resolve } = Promise.withResolvers<number | null>();
    const timer = setTimeout(() => this.close(), patienceMs);
    this.#answered = (status) => {
      clearTimeout(timer);
      resolve(status);
    };
    this.#socket.write(REQUEST);
    return promise;
  }

  close(): void {
    this.#usable = false;
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#text += text;
    const end = this.#text.indexOf(HEAD_END);
    if (end === -1) return;
    const head = this.#text.slice(0, end).toLowerCase();
    const length = Number(/\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? Number.NaN);
    if (this.#text.length < end + HEAD_END.length + length) return;
    this.#text = '';
    // An answer without a length ends with its connection.
    if (Number.isNaN(length) || /\r\nconnection: *close/.test(head)) this.close();
    this.#end(Number(head.slice(9, 12)));
  }

  #end(status: number | null): void {
    if (status === null) this.#usable = false;
    const answered = this.#answered;
    this.#answered = null;
    answered?.(status);
  }
}
