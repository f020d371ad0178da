import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtcdSettingsSchema, type EtcdSettings } from '../../internal/model/registry-settings.ts';
import { Store } from '../../internal/registry/etcd/store.ts';
import { eventually } from './e2e-wait.ts';

const START_MS = 30_000;

/** Why tests with etcd cannot run here; false: they can. */
export function etcdMissing(): string | false {
  try {
    execFileSync('etcd', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs etcd (Debian package etcd-server)';
  }
}

interface EtcdOptions {
  readonly members?: number;
  /** Whether a commit waits for the disk, as it does in earnest; false by default. */
  readonly fsync?: boolean;
  /** More arguments of every member. */
  readonly args?: readonly string[];
}

/** A real etcd of one or more members, in a temporary folder. */
export class EtcdCluster {
  readonly members: readonly EtcdMember[];
  readonly #folder: string;
  #prefixes = 0;

  private constructor(folder: string, members: readonly EtcdMember[]) {
    this.#folder = folder;
    this.members = members;
  }

  static async start({ members = 1, fsync = false, args = [] }: EtcdOptions = {}): Promise<EtcdCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'heimdall-etcd-'));
    const ports = await freePorts(members * 2);
    const peers = ports.slice(members).map((port, index) => `m${index}=http://127.0.0.1:${port}`);
    const all = [...(fsync ? [] : ['--unsafe-no-fsync']), ...args];
    const made = peers.map((peer, index) => {
      const url = `http://127.0.0.1:${ports[index]}`;
      return new EtcdMember(`m${index}`, join(folder, `m${index}`), url, peer.slice(3), peers, all);
    });
    const cluster = new EtcdCluster(folder, made);
    for (const member of made) member.start();
    await cluster.ready();
    return cluster;
  }

  get endpoints(): string[] {
    return this.members.map(({ url }) => url);
  }

  /** Of a registry of its own. */
  settings(changes: Partial<EtcdSettings> = {}): EtcdSettings {
    this.#prefixes += 1;
    const { endpoints } = this;
    return { ...EtcdSettingsSchema.parse({ endpoints, prefix: `/test-${this.#prefixes}` }), ...changes };
  }

  /** Resolves when a commit goes through every member. */
  async ready(): Promise<void> {
    await Promise.all(this.endpoints.map((endpoint) => answers(endpoint)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    await rm(this.#folder, { recursive: true });
  }
}

async function answers(endpoint: string): Promise<void> {
  const settings = EtcdSettingsSchema.parse({ endpoints: [endpoint], prefix: '/ready', timeout: '1s' });
  const store = new Store(settings);
  await eventually(`${endpoint} answers`, () => store.write([{ put: 'ready', value: true }]), START_MS);
  await store.close();
}

/** One member; keeps its data when it is killed. */
export class EtcdMember {
  readonly url: string;
  readonly #arguments: readonly string[];
  #child: ChildProcess | null = null;

  constructor(
    name: string,
    folder: string,
    url: string,
    peer: string,
    peers: readonly string[],
    args: readonly string[],
  ) {
    this.url = url;
    this.#arguments = [
      ...['--name', name, '--data-dir', folder, '--log-level', 'fatal'],
      ...['--listen-client-urls', url, '--advertise-client-urls', url],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', peers.join(','), '--initial-cluster-state', 'new'],
      ...args,
    ];
  }

  /** While it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#child = spawn('etcd', this.#arguments, { stdio: 'ignore' });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
