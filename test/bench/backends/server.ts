import { createServer, type Socket } from 'node:net';
import { OrderSchema } from './messages.ts';

/**
 * `node server.ts PORT,PORT,…`: bare keep-alive backends, a fraction of what an HTTP library costs. `/1mib` answers with
 * 1 MiB, all else with a few bytes. Messages to the process set the delays and ask for the counts.
 */
const SMALL = answer(Buffer.alloc(64, 'x'));
const LARGE = answer(Buffer.alloc(1024 * 1024, 'x'));
const HEAD_END = '\r\n\r\n';

interface Backend {
  delayMs: number;
  requests: number;
}

const ports = (process.argv[2] ?? '').split(',').map(Number);
const backends = ports.map(listen);

process.on('message', (message) => {
  const order = OrderSchema.parse(message);
  if (order.type === 'count') process.send?.(backends.map(({ requests }) => requests));
  else for (const [index, backend] of backends.entries()) backend.delayMs = order.milliseconds[index] ?? 0;
});
process.on('disconnect', () => process.exit(0));

function listen(port: number): Backend {
  const backend = { delayMs: 0, requests: 0 };
  const server = createServer({ noDelay: true }, (socket) => serve(socket, backend));
  server.listen({ port, host: '127.0.0.1', backlog: 4096 });
  return backend;
}

/** One request after the other, as a proxy sends them; a request's body is told by its Content-Length alone. */
function serve(socket: Socket, backend: Backend): void {
  let head = '';
  let bodyLeft = 0;
  let large = false;
  const finish = () => {
    backend.requests += 1;
    const bytes = large ? LARGE : SMALL;
    if (backend.delayMs === 0) socket.write(bytes);
    else setTimeout(() => socket.write(bytes), backend.delayMs);
  };
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    if (bodyLeft > 0) {
      bodyLeft -= chunk.length;
      if (bodyLeft <= 0) finish();
      return;
    }
    head += chunk.toString('latin1');
    const end = head.indexOf(HEAD_END);
    if (end < 0) return;
    large = head.startsWith('GET /1mib');
    const [, length = '0'] = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end)) ?? [];
    bodyLeft = Number(length) - (head.length - end - HEAD_END.length);
    head = '';
    if (bodyLeft <= 0) finish();
  });
}

function answer(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]);
}
