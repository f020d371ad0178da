import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { nginxConfiguration } from '../candidates/nginx.ts';
import type { CorePlan } from '../core-plan.ts';
import { isInstalled } from '../installed.ts';
import { answers } from '../readiness.ts';
import type { Child, Workshop } from '../workshop.ts';

const SERVER = join(import.meta.dirname, 'server.ts');
const MEBIBYTE = 1024 * 1024;

/**
 * Backends on the ports given that cost far less than any proxy: nginx, or where there is none a bare Node process.
 * They answer with 64 bytes, `/1mib` with 1 MiB.
 */
export async function startFastBackends({ workshop, plan }: Bench, ports: readonly number[]): Promise<void> {
  const child = isInstalled('nginx')
    ? await startNginx(workshop, ports, plan)
    : await workshop.spawn([process.execPath, SERVER, ports.join(',')], { cores: plan.load, channel: true });
  await answers(child, ports.at(-1) ?? 0, workshop.signal);
}

async function startNginx(workshop: Workshop, ports: readonly number[], plan: CorePlan): Promise<Child> {
  const folder = join(workshop.folder, 'backends');
  await mkdir(folder);
  await workshop.file(join('backends', '1mib'), Buffer.alloc(MEBIBYTE, 'x'));
  const http = `
  open_file_cache max=16;
  server {
    ${ports.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join('\n    ')}
    location / { return 200 "${'x'.repeat(64)}"; }
    location = /1mib { root ${folder}; sendfile on; tcp_nopush on; }
  }`;
  const text = nginxConfiguration(folder, http, plan.loadThreads);
  const file = await workshop.file(join('backends', 'nginx.conf'), text);
  return workshop.spawn(['nginx', '-e', 'stderr', '-c', file], { cores: plan.load });
}
