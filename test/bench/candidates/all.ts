import { caddy } from './caddy.ts';
import type { Candidate } from './candidate.ts';
import { haproxy } from './haproxy.ts';
import { heimdall } from './heimdall.ts';
import { nginx } from './nginx.ts';
import { nodeProxy } from './node-proxy.ts';

/** In the order of the tables. */
export const CANDIDATES: readonly Candidate[] = [
  heimdall('wire-1', { engine: 'wire', threads: 1 }),
  heimdall('wire-2', { engine: 'wire', threads: 2 }),
  heimdall('middleware', { engine: 'middleware', threads: 1 }),
  haproxy,
  nginx,
  caddy,
  nodeProxy('fastify', 'fastify.ts'),
  nodeProxy('hpm', 'http-proxy-middleware.ts'),
];
