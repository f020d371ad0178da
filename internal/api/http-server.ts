import { once } from 'node:events';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from '../../pkg/sockets/http.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { descriptorOf } from '../../pkg/sockets/descriptor.ts';
import { stopAccepting } from '../../pkg/sockets/stop-accepting.ts';
import { authority } from '../model/address.ts';
import { listenError } from '../model/listen-error.ts';

const CLOSE_DEADLINE_MS = 10_000;
export const EVENT_STREAM = 'text/event-stream; charset=utf-8';

export interface ApiServer {
  /** The one really taken, when 0 was asked for. */
  readonly port: number;
  /**
   * Takes no more connections, lets running requests finish, and cuts what is left after the deadline.
   * @param deadlineMs - default: 10 s.
   */
  close(deadlineMs?: number): Promise<void>;
  /**
   * Stops accepting at once, for the sake of a successor; resolves when the last connection has ended by itself, or is cut off.
   * @param deadlineMs - for what is left when the successor has taken over.
   * @param takenOver - default: it has.
   */
  retire(deadlineMs: number, takenOver?: Promise<void>): Promise<void>;
  /** The descriptor of the listening socket, to be handed over to a successor. */
  sockets(): Promise<readonly number[]>;
}

export interface ApiServerOptions {
  readonly app: RequestListener;
  readonly host: string;
  readonly port: number;
  /** The descriptor of a socket that listens there already; by default the address is bound. */
  readonly socket?: number | undefined;
  readonly log: Logger;
}

/**
 * Serves the app; resolves once it listens.
 * @throws {HeimdallError} PORT_TAKEN when the port is in use; ADDRESS_UNUSABLE when it cannot listen for another reason.
 */
export async function startApiServer({ app, host, port, socket, log }: ApiServerOptions): Promise<ApiServer> {
  // The timeouts limit how long a client may take to send a request, never how long its answer may take.
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 });
  const answers = new Set<ServerResponse>();
  server.on('request', (request, response) => {
    answers.add(response);
    response.once('close', () => answers.delete(response));
    if (!server.listening) response.setHeader('Connection', 'close');
    app(request, response);
  });
  try {
    server.listen(socket === undefined ? { host, port } : { fd: socket });
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, host, port, { key: 'manager', variable: 'MANAGER_PORT' });
  }
  server.on('error', (err) => log.error({ err }, 'the HTTP server failed'));
  const taken = portOf(server);
  log.info({ host, port: taken }, `manager API on http://${authority(host, taken)}`);
  let closing: Promise<void> | undefined;
  const end = (deadlineMs: number, stop: () => void, begins = Promise.resolve()) => {
    closing ??= close(server, answers, { deadlineMs, begins }, log);
    stop();
    return closing;
  };
  return {
    port: taken,
    close: (deadlineMs = CLOSE_DEADLINE_MS) => end(deadlineMs, () => server.close()), // closes idle connections, too
    retire: (deadlineMs, takenOver) => end(deadlineMs, () => stopAccepting(server), takenOver),
    sockets: async () => [descriptorOf(server)],
  };
}

async function close(
  server: Server,
  answers: ReadonlySet<ServerResponse>,
  { deadlineMs, begins }: { readonly deadlineMs: number; readonly begins: Promise<void> },
  log: Logger,
): Promise<void> {
  const closed = once(server, 'close');
  for (const answer of answers) {
    if (!answer.headersSent) answer.setHeader('Connection', 'close');
    else if (answer.getHeader('Content-Type') === EVENT_STREAM) answer.end(); // it has no end of its own
  }
  const late = new AbortController();
  const cut = async () => {
    await begins;
    await sleep(deadlineMs, undefined, { signal: late.signal });
    log.warn({ running: answers.size }, 'requests cut off at the shutdown deadline');
    server.closeAllConnections();
  };
  cut().catch(() => {}); // closed before; or nobody takes over, and this process ends
  try {
    await closed;
  } finally {
    late.abort();
    server.close(); // ends its timers
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the HTTP server has no port');
  return address.port;
}
