import { z } from 'zod';
import { ask } from '../e2e-http.ts';
import type { StartedProcess } from '../e2e-process.ts';
import { eventually } from '../e2e-wait.ts';
import type { Host } from './host.ts';

const CLIENT_PORT = 2379;
const PEER_PORT = 2380;

const StatusSchema = z.object({ header: z.object({ member_id: z.string() }), leader: z.string().optional() });

/** An etcd with one member on each of some hosts. What they hold outlives their processes. */
export class EtcdOnHosts {
  readonly #hosts: readonly Host[];
  readonly #running = new Map<Host, StartedProcess>();

  constructor(hosts: readonly Host[]) {
    this.#hosts = hosts;
  }

  get endpoints(): string[] {
    return this.#hosts.map((host) => host.url(CLIENT_PORT));
  }

  start(...hosts: readonly Host[]): void {
    const members = this.#hosts.map((host) => `${host.name}=${host.url(PEER_PORT)}`);
    for (const host of hosts) {
      const client = host.url(CLIENT_PORT);
      const peer = host.url(PEER_PORT);
      const etcd = host.run([
        'etcd',
        ...['--name', host.name, '--data-dir', 'etcd', '--log-level', 'fatal', '--unsafe-no-fsync'],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
        ...['--initial-cluster', members.join(','), '--initial-cluster-state', 'new'],
      ]);
      this.#running.set(host, etcd);
    }
  }

  async kill(...hosts: readonly Host[]): Promise<void> {
    const running = hosts.flatMap((host) => this.#running.get(host) ?? []);
    for (const etcd of running) etcd.kill('SIGKILL');
    await Promise.all(running.map(({ exited }) => exited));
  }

  /** The host of the member that leads, as soon as most of those that are asked agree. */
  async leader(among: readonly Host[] = this.#hosts): Promise<Host> {
    return eventually('a member leads', async () => {
      const told = await Promise.all(among.map((host) => statusOf(host)));
      const [leader] = told.map((status) => status.leader);
      const agreed = told.every((status) => status.leader === leader);
      return agreed ? among[told.findIndex(({ header }) => header.member_id === leader)] : undefined;
    });
  }
}

async function statusOf(host: Host): Promise<z.infer<typeof StatusSchema>> {
  const { body } = await ask(`${host.url(CLIENT_PORT)}/v3/maintenance/status`, { method: 'POST', body: {} });
  return StatusSchema.parse(JSON.parse(body));
}
