import type { AlertSink } from '../../pkg/alerts/alert.ts';
import { isAlive, type ProxyRecord, type RegistryWriter } from '../registry/registry.ts';
import type { Absences } from './absences.ts';
import { NodeWatch } from './node-watch.ts';
import { ProxyWatch } from './proxy-watch.ts';
import { inSeconds } from './running-process.ts';

interface PeerWatchOptions {
  readonly registry: Pick<RegistryWriter, 'proxies' | 'nodes' | 'leads' | 'isShared'>;
  /** Of all managers one speaks. */
  readonly alerts: AlertSink;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Of the manager, in epoch milliseconds. */
  readonly startedAt: number;
  readonly speaking: Speaking;
  readonly absences: Pick<Absences, 'look'>;
}

/** What becomes of what is to be told when another manager is to tell it. */
export interface Speaking {
  /** Whether this manager speaks for all: called before anything is told, and when that changes. */
  lead(leading: boolean): Promise<void> | void;
  /** Called now and then while this manager speaks for others: what they have left is its to tell. */
  gather(): Promise<void> | void;
}

/** Looks from one gathering to the next. */
const GATHER_EVERY = 3;

/** What every manager sees alike: which of them speaks, load balancers that vanished, and nodes that are away. */
export class PeerWatch {
  readonly #options: PeerWatchOptions;
  readonly #proxies: ProxyWatch;
  readonly #nodes = new NodeWatch();
  #looks = 0;
  /** Null: not known yet. */
  #leads: boolean | null = null;

  constructor(options: PeerWatchOptions) {
    this.#options = options;
    this.#proxies = new ProxyWatch(options.startedAt);
  }

  /** Whether this manager speaks for all. */
  get leads(): boolean {
    return this.#leads === true;
  }

  /** Finds out who speaks; to be called before anything is told. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
  async begin(): Promise<void> {
    await this.#lead(await this.#options.registry.leads());
  }

  /** To be called every second. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
  async look(): Promise<void> {
    const { registry, clock } = this.#options;
    await this.begin();
    const [proxies, nodes] = await Promise.all([registry.proxies(), registry.isShared ? registry.nodes() : []]);
    this.#looks += 1;
    if (this.leads && nodes.length > 1 && this.#looks % GATHER_EVERY === 0) await this.#options.speaking.gather();
    const now = clock();
    this.#options.absences.look(nodes, now);
    this.#tellNodes(this.#nodes.look(nodes, now), proxies, now);
    const isTold = ({ node }: ProxyRecord) => typeof node === 'string' && this.#nodes.isAway(node);
    this.#tellProxies(this.#proxies.look(proxies, now, isTold), now);
  }

  async #lead(leads: boolean): Promise<void> {
    if (leads === this.#leads) return;
    this.#leads = leads;
    await this.#options.speaking.lead(leads);
  }

  #tellProxies({ gone, back }: ReturnType<ProxyWatch['look']>, now: number): void {
    const { alerts } = this.#options;
    for (const { id, pid, node, heartbeatAt } of gone) {
      const cause = `no sign of life for ${inSeconds(now - heartbeatAt)} (pid ${pid})`;
      const title = `load balancer ${id} is gone`;
      const key = `load-balancer-gone:${id}`;
      alerts.raise({ key, severity: 'critical', title, cause, node: node ?? undefined, at: now });
    }
    for (const id of back) alerts.resolve(`load-balancer-gone:${id}`, now);
  }

  /** A host that is lost is one trouble: its load balancers are told of with it. */
  #tellNodes({ gone, back }: ReturnType<NodeWatch['look']>, proxies: readonly ProxyRecord[], now: number): void {
    const { alerts } = this.#options;
    for (const { name, seenAt, pid } of gone) {
      const silent = proxies.filter((proxy) => proxy.node === name && !isAlive(proxy, now)).map(({ id }) => id);
      const balancers = silent.length === 0 ? '' : `; neither has its load balancer ${silent.join(', ')}`;
      const cause =
        `its manager (pid ${pid}) has given no sign of life for ${inSeconds(now - seenAt)}${balancers}; ` +
        'its instances get no requests as long as other nodes have some of the same service';
      alerts.raise({
        key: `node-away:${name}`,
        severity: 'critical',
        title: `node ${name} is away`,
        cause,
        node: name,
        at: now,
      });
    }
    for (const name of back) alerts.resolve(`node-away:${name}`, now);
  }
}
