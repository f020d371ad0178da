import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { trailerFields } from '../../internal/proxy/fields.ts';
import { MemorySocket } from './memory-socket.ts';
import type { Message, Reading } from './reading.ts';

interface Connection {
  readonly messages: Message[];
  ending: Reading['ending'];
}

/** Reads as `node:http` does, with nothing but its parser's own rules switched on. */
export class NodeReader {
  readonly #server: Server;
  readonly #connections = new WeakMap<object, Connection>();

  constructor() {
    this.#server = createServer({ requireHostHeader: false, maxHeaderSize: 64 * 1024, insecureHTTPParser: false });
    const serve = (message: IncomingMessage, response: ServerResponse) => this.#serve(message, response);
    for (const event of ['request', 'checkContinue', 'checkExpectation']) this.#server.on(event, serve);
    this.#server.on('clientError', (error, socket) => {
      const connection = this.#connections.get(socket);
      if (connection !== undefined)
        connection.ending = { refused: 'code' in error ? String(error.code) : error.message };
    });
  }

  async requests(text: string): Promise<Reading> {
    const socket = new MemorySocket();
    const connection: Connection = { messages: [], ending: 'open' };
    this.#connections.set(socket, connection);
    this.#server.emit('connection', socket);
    socket.push(Buffer.from(text, 'latin1'));
    // Nothing here waits for a timer or a network: when the loop turns, all is read and answered.
    await turn();
    const { messages, ending } = connection;
    const reading = { messages: [...messages], ending };
    socket.destroy();
    return reading;
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const message = messageOf(incoming, [incoming.method ?? '', incoming.url ?? ''], response.shouldKeepAlive);
    const connection = this.#connections.get(incoming.socket);
    connection?.messages.push(message);
    collect(incoming, message, () => response.end());
  }
}

/** Reads interim responses and one final response as Node's client does; the connection ends after the text. */
export async function nodeResponse(text: string, method: string): Promise<Reading> {
  const socket = new MemorySocket();
  const messages: Message[] = [];
  let ending: Reading['ending'] = 'open';
  let isComplete: Message['complete'] = 'yes';
  const client = request({
    createConnection: () => socket,
    method,
    headers: { Connection: 'keep-alive' },
    insecureHTTPParser: false,
  });
  client.on('information', ({ statusCode, statusMessage, httpVersionMinor, rawHeaders }) => {
    const startLine = [String(statusCode), statusMessage, httpVersionMinor] as const;
    messages.push({
      startLine: [...startLine],
      fields: rawHeaders,
      body: '',
      trailers: [],
      trailerSection: '',

      complete: 'yes',
      keepAlive: true,
    });
  });
  client.on('response', (incoming) => {
    const message = messageOf(
      incoming,
      [String(incoming.statusCode), incoming.statusMessage ?? ''],
      client.shouldKeepAlive,
    );
    messages.push(message);
    collect(incoming, message, () => {
      message.complete = isComplete;
    });
  });
  client.on('error', (error) => {
    ending = { refused: 'code' in error ? String(error.code) : error.message };
  });
  client.end();
  await turn();
  socket.push(Buffer.from(text, 'latin1'));
  await turn();
  isComplete = 'at-end';
  socket.push(null);
  await turn();
  const reading = { messages: [...messages], ending };
  socket.destroy();
  client.destroy();
  return reading;
}

function messageOf(incoming: IncomingMessage, startLine: readonly [string, string], keepAlive: boolean): Message {
  return {
    startLine: [...startLine, incoming.httpVersionMinor],
    fields: incoming.rawHeaders,
    body: '',
    trailers: [],
    trailerSection: '',
    complete: 'no',
    keepAlive,
  };
}

function collect(incoming: IncomingMessage, message: Message, ended: () => void): void {
  incoming.setEncoding('latin1');
  incoming.on('data', (text: string) => {
    message.body += text;
  });
  incoming.on('error', () => {});
  incoming.on('end', () => {
    message.complete = 'yes';
    message.trailers = trailerFields(incoming.rawTrailers).map(([name, value]) => `${name}: ${value}`);
    ended();
  });
}
