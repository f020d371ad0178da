import { isInstalled, versionLine } from '../../../bench/installed.ts';
import { INSTANCES, type Service } from '../../../chaos/schedule.ts';
import { eventually } from '../../../support/e2e-wait.ts';
import { Home } from '../../home.ts';
import type { Doings, Peer, PeerSite } from '../peer.ts';
import { type Backend, Backends, BROKEN } from './backends.ts';
import { HaproxyProcess } from './process.ts';
import { serversFile } from './servers.ts';

/** Clients with a cookie keep coming to a draining server; after this time they are sent elsewhere. */
const DRAIN_MS = 5_000;
const FINISH_MS = 30_000;
const BALANCES = ['roundrobin', 'leastconn'] as const;

interface Manner {
  /** With `idle-close-on-response`, and no server is stopped before the workers that a reload has replaced have ended. */
  readonly isPatient: boolean;
}

type Server = Backend & { readonly name: string };

/** HAProxy in master-worker mode, set up in two ways. */
export function haproxyPeers(): Peer[] {
  const installed = isInstalled('haproxy')
    ? { version: /\d+\.\d+\.\d+\S*/.exec(versionLine('haproxy', ['-v']))?.[0] ?? 'unknown' }
    : { missing: 'apt-get install haproxy' };
  const peer = (name: string, about: string, manner: Manner): Peer => ({
    name,
    about,
    isSticky: true,
    installed,
    start: () => HaproxySite.start(manner),
  });
  return [
    peer(
      'haproxy',
      'idle-close-on-response; a server is drained and put into maintenance, and the old workers have ended',
      {
        isPatient: true,
      },
    ),
    peer('haproxy-defaults', 'hitless reload; a server is drained and put into maintenance', { isPatient: false }),
  ];
}

/** HAProxy, its backends, and what a careful operator has as a script. */
class HaproxySite implements PeerSite {
  readonly ports: Record<Service, number>;
  readonly #home: Home;
  readonly #backends: Backends;
  readonly #isPatient: boolean;
  #servers: Record<Service, readonly Server[]> = { web: [], shop: [] };
  #balance: (typeof BALANCES)[number] = 'roundrobin';
  #haproxy: HaproxyProcess | undefined;
  #named = 0;

  readonly doings: Doings = {
    deploy: ({ service, version }) => this.#roll(service, () => version),
    'deploy what does not run': ({ service }) => this.#roll(service, () => BROKEN),
    restart: ({ service }) => this.#roll(service, (version) => version),
    scale: ({ service, instances }) => this.#scale(service, instances),
    add: ({ service }) => this.#scale(service, this.#servers[service].length + 1),
    remove: async ({ service, which }) => {
      const servers = this.#servers[service];
      const gone = servers[Math.floor(which * servers.length)];
      if (gone !== undefined && servers.length > 1) await this.#take(service, [gone]);
    },
    'replace the load balancer': () => this.#reload(),
    'change the configuration': () => {
      this.#balance = BALANCES.find((balance) => balance !== this.#balance) ?? this.#balance;
      return this.#reload();
    },
    'change a service by hand': async ({ weight }) => {
      for (const { name } of this.#servers.web) await this.#running.set(`server web/${name} weight ${weight}`);
    },
  };

  private constructor(home: Home, { isPatient }: Manner) {
    this.#home = home;
    this.#isPatient = isPatient;
    this.#backends = new Backends(home);
    this.ports = { web: home.ports.proxy, shop: home.ports.proxy };
  }

  static async start(manner: Manner): Promise<HaproxySite> {
    const home = await Home.create();
    const site = new HaproxySite(home, manner);
    try {
      for (const service of ['web', 'shop'] as const) await site.#startServers(service, INSTANCES[service], 'v1');
      const env = manner.isPatient ? { LEAVES_IDLE_CONNECTIONS: '1' } : {};
      site.#haproxy = await HaproxyProcess.start(home, site.#file(), env);
      await site.isWell();
      return site;
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
  }

  async isWell(): Promise<void> {
    for (const service of ['web', 'shop'] as const) {
      for (const { name } of this.#servers[service]) await this.#isUp(service, name);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#haproxy?.stop();
      await Promise.all(Object.values(this.#servers).flatMap((all) => all.map((one) => this.#backends.stop(one))));
    } finally {
      await this.#home[Symbol.asyncDispose]();
    }
  }

  get #running(): HaproxyProcess {
    if (this.#haproxy === undefined) throw new Error('HAProxy does not run');
    return this.#haproxy;
  }

  /** One server after the other; gives up, and leaves the others as they are, when one does not come back. */
  async #roll(service: Service, versionAfter: (version: string) => string): Promise<void> {
    const isAlone = this.#servers[service].length === 1;
    if (isAlone) await this.#scale(service, 2);
    for (const server of this.#servers[service]) {
      if (!(await this.#replace(service, server, versionAfter(server.version)))) break;
    }
    if (isAlone) await this.#scale(service, 1);
  }

  /** On the same port. @returns false when the new version does not run, and the old one is back. */
  async #replace(service: Service, server: Server, version: string): Promise<boolean> {
    const { name, port } = server;
    await this.#drain(service, server);
    await this.#backends.stop(server);
    const started = await this.#backends.start(version, port).catch(() => null);
    const next = started ?? (await this.#backends.start(server.version, port));
    this.#servers[service] = this.#servers[service].map((one) => (one.name === name ? { ...next, name } : one));
    await this.#running.set(`server ${service}/${name} state ready`);
    await this.#isUp(service, name);
    return started !== null;
  }

  async #scale(service: Service, count: number): Promise<void> {
    const servers = this.#servers[service];
    if (count < servers.length) return await this.#take(service, servers.slice(count));
    if (count === servers.length) return;
    await this.#startServers(service, count - servers.length, servers[0]?.version ?? 'v1');
    await this.#reload();
  }

  async #startServers(service: Service, count: number, version: string): Promise<void> {
    for (let done = 0; done < count; done += 1) {
      const backend = await this.#backends.start(version);
      this.#named += 1;
      this.#servers[service] = [...this.#servers[service], { ...backend, name: `${service}-${this.#named}` }];
    }
  }

  /** Out of rotation, out of the configuration, and stopped. */
  async #take(service: Service, gone: readonly Server[]): Promise<void> {
    for (const server of gone) await this.#drain(service, server);
    this.#servers[service] = this.#servers[service].filter((server) => !gone.includes(server));
    await this.#reload();
    for (const server of gone) await this.#backends.stop(server);
  }

  /** Resolves when nothing is on it any more, or the time is up. */
  async #drain(service: Service, { name }: Server): Promise<void> {
    const isIdle = (limitMs: number) =>
      eventually(
        `${name} has nothing to do`,
        async () => (await this.#running.server(service, name)).sessions === 0,
        limitMs,
      ).catch(() => {});
    await this.#running.set(`server ${service}/${name} state drain`);
    await isIdle(DRAIN_MS);
    await this.#running.set(`server ${service}/${name} state maint`);
    await isIdle(FINISH_MS);
    if (this.#isPatient) await this.#running.oldWorkersHaveEnded(FINISH_MS).catch(() => {});
  }

  #isUp(service: Service, name: string): Promise<boolean> {
    const isUp = async () => (await this.#running.server(service, name)).status === 'UP';
    return eventually(`${name} gets requests`, isUp);
  }

  #reload(): Promise<void> {
    return this.#running.reload(this.#file());
  }

  #file(): string {
    return serversFile(this.#balance, this.#servers);
  }
}
