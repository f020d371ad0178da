import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from '../../pkg/sockets/http.ts';
import { BadQuery, type Backend, sendJson } from './exchange.ts';
import { routeOf } from './routes.ts';
import type { Settings } from './settings.ts';
import { echoWebSocket } from './websocket.ts';

/** Longer than a proxy keeps an idle connection, so that it is never the backend that closes one just as a request leaves. */
const KEEP_ALIVE_MS = 65_000;

export interface RunningBackend {
  readonly name: string;
  readonly url: string;
  /** For whoever stops it in another way. */
  readonly server: Server;
  /** Accepts no more connections; resolves when every request in flight is answered. */
  stop(): Promise<void>;
}

/** @throws {Error} `EADDRINUSE`, `EACCES`, … when the address cannot be listened on. */
export async function startBackend(settings: Settings): Promise<RunningBackend> {
  const stopping = new AbortController();
  const inFlight = new Set<ServerResponse>();
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 0, // a long upload is no fault
    shouldUpgradeCallback: (request) => pathOf(request) === '/ws',
  });
  server.listen(settings.port, settings.host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : settings.port;
  const backend: Backend = {
    name: settings.name ?? `server-${port}`,
    version: settings.version,
    port,
    stopping: stopping.signal,
    requests: 0,
    healthy: true,
    delay: 0,
  };

  server.on('request', (request, response) => {
    inFlight.add(response);
    response.once('close', () => {
      inFlight.delete(response);
      if (stopping.signal.aborted && inFlight.size === 0) server.closeAllConnections();
    });
    if (stopping.signal.aborted) response.setHeader('Connection', 'close');
    dispatch(backend, request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    echoWebSocket(request, socket, head, backend.name, stopping.signal);
  });

  return {
    name: backend.name,
    url: `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`,
    server,
    stop: () => stop(server, stopping, inFlight),
  };
}

async function stop(server: Server, stopping: AbortController, inFlight: ReadonlySet<ServerResponse>): Promise<void> {
  const closed = once(server, 'close');
  server.close(); // before anybody can hear that we are leaving, and comes back
  stopping.abort();
  for (const response of inFlight) if (!response.headersSent) response.setHeader('Connection', 'close');
  if (inFlight.size === 0) server.closeAllConnections();
  await closed;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

function dispatch(backend: Backend, request: IncomingMessage, response: ServerResponse): void {
  const path = pathOf(request);
  const query = new URLSearchParams((request.url ?? '').slice(path.length + 1));
  if (path !== '/health') backend.requests += 1;
  response.setHeader('X-Server', backend.name);
  const answer = async () => {
    try {
      await routeOf(path)({ request, response, path, query, backend });
    } catch (error) {
      if (error instanceof BadQuery) sendJson(response, 400, { error: error.message });
      else response.destroy(); // the client has left in the middle of its request or of the answer
    }
  };
  if (backend.delay === 0 || path === '/switch') return void answer();
  const timer = setTimeout(() => void answer(), backend.delay);
  response.once('close', () => clearTimeout(timer));
}
