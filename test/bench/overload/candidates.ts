import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nginxConfiguration } from '../candidates/nginx.ts';
import type { Task } from '../candidates/candidate.ts';
import type { Child, Workshop } from '../workshop.ts';
import { TOLD } from './plan.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'cmd', 'load-balancer', 'main.ts');

/** A proxy with one of the ways it has against an overload. */
export interface Candidate {
  readonly name: string;
  /** What it knows of the capacity. */
  readonly told: boolean;
  readonly program?: 'haproxy' | 'nginx';
  readonly start: (workshop: Workshop, task: Task) => Promise<Child>;
}

/** In the order of the table. */
export const CANDIDATES: readonly Candidate[] = [
  { name: 'heimdall', told: false, start: heimdall({}) },
  { name: 'heimdall, maxConnections', told: true, start: heimdall({ maxConnections: TOLD }) },
  { name: 'heimdall, adaptiveConcurrency', told: false, start: heimdall({ adaptiveConcurrency: {} }) },
  { name: 'haproxy', told: false, program: 'haproxy', start: haproxy('') },
  { name: 'haproxy, maxconn', told: true, program: 'haproxy', start: haproxy(` maxconn ${TOLD}`) },
  { name: 'nginx', told: false, program: 'nginx', start: nginx('') },
  { name: 'nginx, max_conns', told: true, program: 'nginx', start: nginx(` max_conns=${TOLD} max_fails=0`) },
];

function heimdall(service: object): Candidate['start'] {
  return async (workshop, { port, adminPort, backends, cores }) => {
    const folder = `heimdall-${port}`;
    await mkdir(join(workshop.folder, folder));
    const servers = backends.map((backend) => `127.0.0.1:${backend}`);
    const configuration = {
      proxy: { host: '127.0.0.1', port, threads: 1, admin: { port: adminPort }, accessLog: null },
      registry: { path: 'registry.db' },
      services: [{ name: 'bench', servers, ...service }],
      log: { level: 'warn' },
    };
    const file = await workshop.file(join(folder, 'config.json'), JSON.stringify(configuration));
    return workshop.spawn([process.execPath, MAIN, '--config', file], { cores, env: { NODE_ENV: 'production' } });
  };
}

/** @param limit - what stands behind each server. */
function haproxy(limit: string): Candidate['start'] {
  return async (workshop, { port, backends, cores }) => {
    const servers = backends.map((backend, index) => `server s${index} 127.0.0.1:${backend} check${limit}`);
    const file = await workshop.file(
      `haproxy-${port}.cfg`,
      `
global
  nbthread 1
defaults
  mode http
  timeout connect 3s
  timeout client 60s
  timeout server 30s
  timeout queue 1s
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend backends
backend backends
  option httpchk GET /health
  ${servers.join('\n  ')}
`,
    );
    return workshop.spawn(['haproxy', '-db', '-f', file], { cores });
  };
}

/** @param limit - what stands behind each server. */
function nginx(limit: string): Candidate['start'] {
  return async (workshop, { port, backends, cores }) => {
    const folder = join(workshop.folder, `nginx-${port}`);
    await mkdir(folder);
    const http = `
  upstream backends {
    zone backends 64k;
    ${backends.map((backend) => `server 127.0.0.1:${backend}${limit};`).join('\n    ')}
    keepalive 128;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://backends;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }`;
    const file = await workshop.file(`nginx-${port}.conf`, nginxConfiguration(folder, http));
    return workshop.spawn(['nginx', '-e', 'stderr', '-c', file], { cores });
  };
}
