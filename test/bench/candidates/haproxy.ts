import type { Candidate, Task } from './candidate.ts';

/** HAProxy with one thread and shared upstream connections. */
export const haproxy: Candidate = {
  name: 'haproxy',
  threads: 1,
  program: 'haproxy',
  versionArgs: ['-v'],
  start: async (workshop, task) => {
    const file = await workshop.file(`haproxy-${task.port}.cfg`, configuration(task));
    return workshop.spawn(['haproxy', '-db', '-f', file], { cores: task.cores });
  },
};

function configuration({ port, backends, algorithm = 'roundrobin' }: Task): string {
  return `
global
  nbthread 1
  maxconn 7000
defaults
  mode http
  option http-keep-alive
  timeout connect 3s
  timeout client 10m
  timeout server 10m
  timeout http-request 10s
  timeout http-keep-alive 10m
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend backends
backend backends
  balance ${algorithm}
  http-reuse always
  ${backends.map((backend, index) => `server s${index} 127.0.0.1:${backend}`).join('\n  ')}
`;
}
