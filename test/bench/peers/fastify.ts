import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

/** `node fastify.ts PORT BACKEND,BACKEND,…`: @fastify/http-proxy, round robin over backends of 127.0.0.1. */
const [port = '0', backends = ''] = process.argv.slice(2);
const upstreams = backends.split(',').map((backend) => `http://127.0.0.1:${backend}`);
let turn = 0;

const app = fastify({ logger: false, keepAliveTimeout: 600_000, connectionTimeout: 0 });
await app.register(httpProxy, {
  upstream: '',
  replyOptions: {
    getUpstream: () => upstreams[turn++ % upstreams.length] ?? '',
    // It passes the upstream's `Connection: keep-alive` on even when it is about to close: clients then fail.
    rewriteHeaders: (headers) => {
      const kept = { ...headers };
      delete kept.connection;
      return kept;
    },
  },
  undici: { connections: 128, pipelining: 1 },
});
await app.listen({ port: Number(port), host: '127.0.0.1' });
