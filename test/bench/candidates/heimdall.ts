import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Candidate, Task } from './candidate.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'cmd', 'load-balancer', 'main.ts');

interface Engine {
  readonly engine: 'wire' | 'middleware';
  readonly threads: 1 | 2;
}

/**
 * heimdall's own load balancer, as a user runs it: a process with a configuration file.
 * @param accessLog - as in that file; null: none.
 */
export function heimdall(name: string, { engine, threads }: Engine, accessLog: object | null = null): Candidate {
  return {
    name,
    threads,
    start: async (workshop, task) => {
      const folder = `heimdall-${task.port}`;
      await mkdir(join(workshop.folder, folder));
      const proxy = { engine, accessLog, ...(engine === 'wire' ? { threads } : {}) };
      const config = await workshop.file(join(folder, 'config.json'), JSON.stringify(configuration(task, proxy)));
      const env = { NODE_ENV: 'production' };
      return workshop.spawn([process.execPath, MAIN, '--config', config], { cores: task.cores, env });
    },
  };
}

function configuration({ port, adminPort, backends, algorithm = 'round-robin' }: Task, proxy: object): object {
  return {
    proxy: {
      host: '127.0.0.1',
      port,
      admin: { host: '127.0.0.1', port: adminPort },
      timeouts: { keepAlive: '10m' },
      ...proxy,
    },
    registry: { path: 'registry.db' },
    services: [
      {
        name: 'bench',
        servers: backends.map((backend) => `127.0.0.1:${backend}`),
        algorithm,
        healthCheck: { interval: '1h', timeout: '5s' },
      },
    ],
    log: { level: 'warn' },
  };
}
