import type { Candidate, Task } from './candidate.ts';

/** Caddy on one processor. */
export const caddy: Candidate = {
  name: 'caddy',
  threads: 1,
  program: 'caddy',
  versionArgs: ['version'],
  start: async (workshop, task) => {
    const file = await workshop.file(`Caddyfile-${task.port}`, configuration(task));
    const env = { GOMAXPROCS: '1', XDG_DATA_HOME: workshop.folder, XDG_CONFIG_HOME: workshop.folder };
    const command = ['caddy', 'run', '--adapter', 'caddyfile', '--config', file];
    return workshop.spawn(command, { cores: task.cores, env });
  },
};

function configuration({ port, backends, algorithm = 'round_robin' }: Task): string {
  return `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${backends.map((backend) => `127.0.0.1:${backend}`).join(' ')} {
    lb_policy ${algorithm}
    transport http {
      keepalive 10m
      keepalive_idle_conns 0
      keepalive_idle_conns_per_host 128
    }
  }
}
`;
}
