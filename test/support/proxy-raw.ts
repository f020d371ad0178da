import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 60_000;

/** Asks again and again, because nobody tells. */
export async function eventually(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`still not: ${what}`);
    await sleep(5);
  }
}

/** One end of a connection that writes and reads bytes as they are. */
export class RawConnection {
  readonly socket: Socket;
  received = '';
  /** The other side sent its FIN. */
  ended = false;
  /** The connection is over, in order or not. */
  closed = false;
  error: Error | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  async receives(part: string | RegExp): Promise<string> {
    const found = () => (typeof part === 'string' ? this.received.includes(part) : part.test(this.received));
    await eventually(`received ${part}`, () => found() || this.closed);
    if (!found()) throw new Error(`closed before ${part} came; received ${JSON.stringify(this.received)}`);
    return this.received;
  }

  /** Everything that came until the other side closed. */
  async rest(): Promise<string> {
    await eventually('the connection is closed', () => this.ended || this.closed);
    return this.received;
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  close(): void {
    this.socket.destroy();
  }
}

export async function rawClient(port: number, text = ''): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const connection = new RawConnection(socket);
  await once(socket, 'connect');
  if (text !== '') connection.write(text);
  return connection;
}

/** A backend that speaks whatever the test makes it speak. */
export class RawBackend {
  readonly connections: RawConnection[] = [];
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, connections: RawConnection[]) {
    this.#server = server;
    this.connections = connections;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @param serve - called for every connection, with its number from 0. */
  static async start(serve: (connection: RawConnection, index: number) => void): Promise<RawBackend> {
    const connections: RawConnection[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = new RawConnection(socket);
      connections.push(connection);
      socket.on('end', () => socket.end());
      serve(connection, connections.length - 1);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RawBackend(server, connections);
  }

  /** Gives every request head that has no body the same answer. */
  static answering(answer: string): Promise<RawBackend> {
    return RawBackend.start((connection) => {
      onHeads(connection, () => connection.write(answer));
    });
  }

  async connection(index: number): Promise<RawConnection> {
    await eventually(`connection ${index}`, () => this.connections.length > index);
    return this.connections[index]!;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of this.connections) connection.close();
    await closed;
  }
}

/** Calls `serve` for every request head that comes, one after the other. */
export function onHeads(connection: RawConnection, serve: (head: string, index: number) => void): void {
  let seen = 0;
  let index = 0;
  connection.socket.on('data', () => {
    for (let end = connection.received.indexOf('\r\n\r\n', seen); end !== -1; ) {
      const head = connection.received.slice(seen, end + 4);
      seen = end + 4;
      serve(head, index++);
      end = connection.received.indexOf('\r\n\r\n', seen);
    }
  });
}

/** The text of a request that ends its connection, unless `fields` say something else about that. */
export function requestText(line: string, fields: readonly string[] = [], body = ''): string {
  const connection = fields.some((field) => /^connection:/i.test(field)) ? [] : ['Connection: close'];
  return `${[`${line} HTTP/1.1`, 'Host: example.com', ...fields, ...connection].join('\r\n')}\r\n\r\n${body}`;
}

export interface ParsedMessage {
  readonly startLine: string;
  /** Of a response; NaN for a request. */
  readonly status: number;
  /** In order, as they came. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** All values of a field, in order; `name` in lower case. */
  all(name: string): string[];
}

/** Takes the first message of a text apart; what follows its head is its body, as it stands. */
export function parseMessage(text: string): ParsedMessage {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) throw new Error(`there is no whole head in ${JSON.stringify(text)}`);
  const [startLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  return {
    startLine,
    status: Number(/^HTTP\/1\.[01] (\d+)/.exec(startLine)?.[1]),
    fields,
    body: text.slice(end + 4),
    all: (name) => fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value),
  };
}

/** A port on which nobody listens: none of those that the system gives to listeners, or one that is opened next might get it. */
export async function closedPort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 20_000);
    const server = createServer();
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
    } catch {
      continue; // somebody has it
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
