import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../../pkg/logger/logger.ts';
import { descriptorOf } from '../../pkg/sockets/descriptor.ts';
import { stopAccepting } from '../../pkg/sockets/retire.ts';
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
  /** The same for the sake of a successor that accepts from the same socket: nobody is cut off who has just come. */
  retire(deadlineMs: number): Promise<void>;
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
  const end = (deadlineMs = CLOSE_DEADLINE_MS) => {
    closing ??= close(server, answers, deadlineMs, log);
    return closing;
  };
  const retire = async (deadlineMs: number) => {
    await stopAccepting(server);
    await end(deadlineMs);
  };
  return { port: taken, close: end, retire, sockets: async () => [descriptorOf(server)] };
}

async function close(
  server: Server,
  answers: ReadonlySet<ServerResponse>,
  deadlineMs: number,
  log: Logger,
): Promise<void> {
  const closed = once(server, 'close');
  server.close(); // closes the idle connections too
  for (const answer of answers) {
    if (!answer.headersSent) answer.setHeader('Connection', 'close');
    else if (answer.getHeader('Content-Type') === EVENT_STREAM) answer.end(); // it has no end of its own
  }
  const deadline = setTimeout(() => {
    log.warn({ running: answers.size }, 'requests cut off at the shutdown deadline');
    server.closeAllConnections();
  }, deadlineMs);
  try {
    await closed;
  } finally {
    clearTimeout(deadline);
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the HTTP server has no port');
  return address.port;
}
