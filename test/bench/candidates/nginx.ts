import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import type { Candidate, Task } from './candidate.ts';

/** So many requests a connection carries at most: none is closed while we measure. */
const NO_LIMIT = 1_000_000_000;

/** nginx with one worker and keep-alive upstreams. */
export const nginx: Candidate = {
  name: 'nginx',
  threads: 1,
  program: 'nginx',
  versionArgs: ['-v'],
  start: async (workshop, task) => {
    const folder = `nginx-${task.port}`;
    await mkdir(join(workshop.folder, folder));
    const text = nginxConfiguration(join(workshop.folder, folder), proxying(task));
    const file = await workshop.file(join(folder, 'nginx.conf'), text);
    return workshop.spawn(['nginx', '-e', 'stderr', '-c', file], { cores: task.cores });
  },
};

/**
 * The configuration of an nginx that ends no connection on its own account.
 * @param http - what stands in the `http` block, besides what every nginx of the benchmark has.
 */
export function nginxConfiguration(folder: string, http: string, workers = 1): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
${userInfo().uid === 0 ? 'user root;' : ''}
daemon off;
worker_processes ${workers};
worker_rlimit_nofile 16384;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 16000; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  keepalive_timeout 10m;
  keepalive_time 1d;
  keepalive_requests ${NO_LIMIT};
  ${http}
}
`;
}

function proxying({ port, backends, algorithm = '' }: Task): string {
  return `
  proxy_max_temp_file_size 0;
  upstream backends {
    ${algorithm === '' ? '' : `${algorithm};`}
    ${backends.map((backend) => `server 127.0.0.1:${backend};`).join('\n    ')}
    keepalive ${Math.max(128, 2 * backends.length)};
    keepalive_requests ${NO_LIMIT};
    keepalive_time 1d;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://backends;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }`;
}
