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

/** Has each request answered by the successor. The client's connection ends with the answer: its next one goes there directly. */
export function relayTo(successor: Successor): RequestListener {
  successor.ready.catch(() => undefined); // nobody may ever ask
  return (request, response) => {
    response.setHeader('Connection', 'close');
    successor.ready.then(
      () => relay(successor, request, response),
      () => refuse(response),
    );
  };
}

function relay({ host, port }: Successor, request: IncomingMessage, response: ServerResponse): void {
  const { method, url: path, headers } = request;
  const { expect: _, ...fields } = headers; // Node has answered it already
  const onward = call({ host, port, method, path, agent: false, headers: { ...fields, connection: 'close' } });
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
