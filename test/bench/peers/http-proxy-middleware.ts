import { Agent, createServer } from 'node:http';
import { createProxyMiddleware } from 'http-proxy-middleware';

/** `node http-proxy-middleware.ts PORT BACKEND,BACKEND,…`: the library alone, round robin over backends of 127.0.0.1. */
const [port = '0', backends = ''] = process.argv.slice(2);
const upstreams = backends.split(',').map((backend) => `http://127.0.0.1:${backend}`);
let turn = 0;

const proxy = createProxyMiddleware({
  agent: new Agent({ keepAlive: true }),
  router: () => upstreams[turn++ % upstreams.length] ?? '',
});
const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  void proxy(request, response, () => response.writeHead(404).end());
});
server.listen(Number(port), '127.0.0.1');
