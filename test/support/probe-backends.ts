import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach } from 'node:test';
import { createServer } from '../../pkg/sockets/http.ts';

export interface ProbedBackend<S extends net.Server> {
  readonly host: string;
  readonly port: number;
  readonly server: S;
}

/** Servers to probe on 127.0.0.1; all of them are gone after each test of the file that calls this. */
export function probeBackends() {
  const opened: net.Server[] = [];
  /** Connections that are open now. */
  const sockets = new Set<net.Socket>();

  async function listen<S extends net.Server>(server: S): Promise<ProbedBackend<S>> {
    server.on('connection', (socket: net.Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {}); // the probe may reset what it did not read
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    opened.push(server);
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, server };
  }

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    for (const server of opened.splice(0)) await new Promise((resolve) => server.close(resolve));
  });

  return {
    sockets,
    listen,
    serve: (handler: RequestListener) => listen(createServer(handler)),
    answer: (status: number, body = '') =>
      listen(
        createServer((_request, response) => {
          response.writeHead(status, { Location: '/elsewhere' }).end(body);
        }),
      ),
    /** Sends these octets to whoever connects. */
    say: (octets: string) => listen(net.createServer((socket) => socket.end(octets))),
    /** A port that nobody listens on. */
    closedPort: async (): Promise<number> => {
      const { server, port } = await listen(net.createServer());
      await new Promise((resolve) => server.close(resolve));
      opened.pop();
      return port;
    },
  };
}
