import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { request as call } from './http.ts';

/** Who answers on an address from now on. */
export interface Successor {
  readonly host: string;
  readonly port: number;
  /** Resolves when it listens; rejects when there will be none. */
  readonly ready: Promise<void>;
}

/** Of a request that was relayed: the key, and whom it is from. */
const FIELD = 'heimdall-relayed-for';

/**
 * Has each request answered by the successor. The client's connection ends with the answer: its next one goes there directly.
 * @param key - known to both alone, so that the successor believes whom a request is from.
 */
export function relayTo(successor: Successor, key: string): RequestListener {
  successor.ready.catch(() => undefined); // nobody may ever ask
  return (request, response) => {
    response.setHeader('Connection', 'close');
    successor.ready.then(
      () => relay(successor, key, request, response),
      () => refuse(response),
    );
  };
}

/**
 * Has a request that a predecessor has relayed look as if its client had sent it here. The connection carries nothing else.
 * What others say under this name is of no account.
 * @param key - that the predecessor has, too.
 */
export function unwrapRelayed({ headers, socket }: IncomingMessage, key: string): void {
  const value = headers[FIELD];
  Reflect.deleteProperty(headers, FIELD);
  if (typeof value !== 'string' || !value.startsWith(`${key} `)) return;
  Object.defineProperty(socket, 'remoteAddress', { value: value.slice(key.length + 1) });
}

function relay({ host, port }: Successor, key: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, url: path, headers, socket } = request;
  const { expect: _, ...fields } = headers; // Node has answered it already
  const whose = { [FIELD]: `${key} ${socket.remoteAddress ?? 'unknown'}`, connection: 'close' };
  const onward = call({ host, port, method, path, agent: false, headers: { ...fields, ...whose } });
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, { ...answer.headers, connection: 'close' });
    pipeline(answer, response, () => {});
  });
  onward.on('error', () => {
    if (response.headersSent) response.destroy();
    else refuse(response);
  });
  response.once('close', () => onward.destroy());
  pipeline(request, onward, () => {});
}

function refuse(response: ServerResponse): void {
  response.writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8', 'Retry-After': '1' });
  response.end('This process has ended its work, and the one that follows cannot be reached yet.\n');
}
