import { randomUUID } from 'node:crypto';
import type { Deployment, DeploymentStep } from '../../model/deployment.ts';
import type { EventCount, EventCountQuery, HeimdallEvent } from '../../model/event.ts';
import type { Instance, Usage } from '../../model/instance.ts';
import type { NodeNote, NodeRecord } from '../../model/node.ts';
import type { ServiceState } from '../../model/service-state.ts';
import { SAMPLES_KEPT_MS, type TrafficSample } from '../../model/traffic-sample.ts';
import type {
  DeploymentChange,
  DeploymentDraft,
  DeploymentQuery,
  InstanceChange,
  InstanceDraft,
  NodeRelease,
  ProxyTraffic,
  RegistryWriter,
  ServiceChange,
  Snapshot,
} from '../registry.ts';
import { EtcdAlertBook } from './alert-book.ts';
import { EtcdAlertStore } from './alert-store.ts';
import { EtcdAnnouncements } from './announcements.ts';
import { Changes } from './changes.ts';
import { Commits, type Plan } from './commits.ts';
import { Deployments } from './deployments.ts';
import { countEvents, deleteEvents, EventNames, writeEvent } from './events.ts';
import { forgetting } from './forgetting.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { NodeNotes } from './node-notes.ts';
import { MANAGER_PREFIX, managerOwner, nodeAndTokenOf } from './owners.ts';
import { valueOf } from './parse.ts';
import { EtcdReader, type ReaderOptions } from './reader.ts';
import { EtcdRequestKeys } from './request-keys.ts';
import { Samples } from './samples.ts';
import { FORM } from './forms.ts';
import type { Guard } from './store.ts';
import type { Tenure } from './tenure.ts';

/** In one commit, with what it writes besides. */
const MOST_RESERVED = 100;

interface WriterOptions extends ReaderOptions {
  /** Of `told/`. */
  readonly told: Mirror;
  readonly tenure: Tenure;
  readonly node: string;
  readonly pid: number;
  readonly startedAt: number;
  /** Of `requests/`. */
  readonly requests: Mirror;
  readonly mostRequestKeys: number;
}

/** A manager's side of the registry in etcd; has its node until it is closed. */
export class EtcdWriter extends EtcdReader implements RegistryWriter {
  readonly isShared = true;
  readonly alerts: EtcdAlertStore;
  readonly alertBook: EtcdAlertBook;
  readonly requestKeys: EtcdRequestKeys;
  readonly announcements: EtcdAnnouncements;
  readonly #node: string;
  readonly #tenure: Tenure;
  readonly #requests: Mirror;
  readonly #commits: Commits;
  readonly #changes: Changes;
  readonly #deployments: Deployments;
  readonly #samples: Samples;
  readonly #notes: NodeNotes;
  readonly #eventNames = new EventNames();
  #closed: Promise<void> | null = null;

  constructor({ tenure, node, pid, startedAt, requests, mostRequestKeys, ...options }: WriterOptions) {
    super(options);
    const { store, mirror, clock } = options;
    this.#node = node;
    this.#tenure = tenure;
    this.#requests = requests;
    this.#commits = new Commits({ store, mirror, tenure, node });
    const { instances, pictures } = this;
    this.#changes = new Changes({ mirror, instances, pictures, node });
    this.#deployments = new Deployments({ store, mirror, changes: this.#changes, node });
    this.#samples = new Samples(store);
    this.#notes = new NodeNotes({ store, mirror, clock, node, pid, startedAt });
    const owner = managerOwner(node, tenure.token);
    this.alerts = new EtcdAlertStore({ store, mirror, clock, owner, goneGuard: (other) => this.#goneGuard(other) });
    this.alertBook = new EtcdAlertBook({ mirror, commits: this.#commits, clock });
    this.requestKeys = new EtcdRequestKeys({
      store,
      mirror: requests,
      clock,
      claimant: randomUUID(),
      most: mostRequestKeys,
    });
    this.announcements = new EtcdAnnouncements({ store, mirror, instances, commits: this.#commits, clock });
  }

  reserve(drafts: readonly InstanceDraft[], ports: readonly number[], desiredDelta: number): Promise<Instance[]> {
    if (drafts.length > MOST_RESERVED) return this.during(this.#reserveMany(drafts, ports, desiredDelta));
    return this.#commit(() => this.#changes.reserve(drafts, ports, desiredDelta));
  }

  update(id: string, change: InstanceChange): Promise<{ instance: Instance; revision: number }> {
    return this.#commit(() => this.#changes.update(id, change));
  }

  remove(id: string, desiredDelta = 0): Promise<void> {
    return this.#commit(() => this.#changes.remove(id, desiredDelta));
  }

  async changeService(service: string, change: ServiceChange): Promise<number> {
    return (await this.reviseService(service, () => change)).revision;
  }

  reviseService(
    service: string,
    revise: (present: ServiceState) => ServiceChange,
  ): ReturnType<RegistryWriter['reviseService']> {
    return this.#commit(() => this.#changes.service(service, revise));
  }

  forgetService(service: string): Promise<void> {
    return this.#commit(() => this.#changes.forgetService(service));
  }

  recordEvent(event: HeimdallEvent): Promise<void> {
    return this.during(writeEvent(this.store, this.#eventNames, event));
  }

  countEvents(query: EventCountQuery): Promise<EventCount[]> {
    return countEvents(this.store, query);
  }

  async pruneEvents(before: number): Promise<number> {
    await this.mirror.ready();
    await this.#deployments.deleteSteps(before);
    return deleteEvents(this.store, before);
  }

  createDeployment(draft: DeploymentDraft): Promise<Deployment> {
    return this.#commit(() => this.#deployments.create(draft, this.clock()));
  }

  changeDeployment(id: number, change: DeploymentChange, service: ServiceChange = {}): Promise<Deployment> {
    return this.#commit(() => this.#deployments.change(id, change, service));
  }

  giveUpDeployment(id: number, reason: string, node?: string): Promise<void> {
    const terms = node === undefined ? { reason } : { reason, node };
    return this.#commit(() => this.#deployments.giveUp(id, terms, this.clock()));
  }

  recordStep(step: Omit<DeploymentStep, 'id' | 'node'>): Promise<DeploymentStep> {
    return this.during(this.#deployments.recordStep(step));
  }

  async deployments(query: DeploymentQuery): Promise<Deployment[]> {
    await this.mirror.ready();
    return this.#deployments.find(query);
  }

  async allDeployments(query: DeploymentQuery): Promise<Deployment[][]> {
    await this.mirror.ready();
    return this.#deployments.findAll(query);
  }

  async deploymentParts(id: number): Promise<Deployment[]> {
    await this.mirror.ready();
    return this.#deployments.parts(id);
  }

  async releases(service: string): Promise<NodeRelease[]> {
    await this.mirror.ready();
    return this.#deployments.releases(service);
  }

  async deployment(id: number): Promise<Deployment> {
    await this.mirror.ready();
    return this.#deployments.get(id);
  }

  deploymentSteps(deployment: number, after: number): Promise<DeploymentStep[]> {
    return this.#deployments.steps(deployment, after);
  }

  async traffic(): Promise<ProxyTraffic[]> {
    const told = Array.from(await this.told('proxies'), (entry) => valueOf(FORM.proxy, entry));
    return told
      .filter(({ id }) => this.mirror.get(NAMES.present(id)) !== null)
      .map(({ id, traffic, demand }) => ({ proxyId: id, instances: traffic, services: demand }))
      .toSorted((a, b) => (a.proxyId < b.proxyId ? -1 : 1));
  }

  samples(since: number): Promise<TrafficSample[]> {
    return this.#samples.since(Math.max(since, this.clock() - SAMPLES_KEPT_MS));
  }

  async noteWatched(until: number): Promise<void> {
    await this.during(this.store.write([{ put: NAMES.watched, value: until }]));
  }

  async own(): Promise<Snapshot> {
    await this.mirror.ready();
    return this.pictures.own(this.#node);
  }

  async nodes(): Promise<NodeRecord[]> {
    await this.mirror.ready();
    return this.#notes.all();
  }

  async forgetNode(name: string): Promise<readonly Instance[]> {
    const gone: Instance[] = [];
    await this.mirror.ready();
    const deployments = this.#deployments.idsOn(name);
    for (;;) {
      const { instances, isOver } = await this.#commit(() =>
        forgetting({ mirror: this.mirror, instances: this.instances }, name),
      );
      gone.push(...instances);
      if (isOver) break;
    }
    await this.during(this.#deployments.deleteOrphanedSteps(deployments));
    return gone;
  }

  async usage(): Promise<ReadonlyMap<string, Usage>> {
    await this.mirror.ready();
    return this.#notes.usage();
  }

  /** The manager that has had its node for the longest. */
  async leads(): Promise<boolean> {
    await this.mirror.ready();
    const [first] = [...this.mirror.all('managers').values()].toSorted((a, b) => a.created - b.created);
    return first !== undefined && valueOf(FORM.manager, first).token === this.#tenure.token;
  }

  async heartbeat(note?: NodeNote, usage?: ReadonlyMap<string, Usage>): Promise<void> {
    await this.during(this.#beat());
    if (note !== undefined) await this.during(this.#notes.tell(note, usage));
  }

  /** Gives up the node as well; when that cannot be done, its lease runs out. */
  override close(): Promise<void> {
    this.#closed ??= this.#leave();
    return this.#closed;
  }

  async #leave(): Promise<void> {
    await this.settled();
    await this.#tenure.end().catch(() => undefined);
    await super.close();
    await this.#requests.end();
  }

  async #beat(): Promise<void> {
    await this.#tenure.renew();
    await this.mirror.ready();
    if (this.mirror.get(NAMES.manager(this.#node))?.modified !== this.#tenure.since) await this.#tenure.confirm();
  }

  /** In several commits, the first of which counts and is refused when there is not room for all; what one is refused, is given back. */
  async #reserveMany(
    drafts: readonly InstanceDraft[],
    ports: readonly number[],
    desiredDelta: number,
  ): Promise<Instance[]> {
    const reserved: Instance[] = [];
    try {
      for (let at = 0; at < drafts.length; at += MOST_RESERVED) {
        const portion = drafts.slice(at, at + MOST_RESERVED);
        const plan = () => {
          this.#changes.reserve(drafts.slice(at), ports, 0);
          return this.#changes.reserve(portion, ports, at === 0 ? desiredDelta : 0);
        };
        reserved.push(...(await this.#commits.run(plan)));
      }
      return reserved;
    } catch (error) {
      const removals = reserved.map(({ id }, at) => {
        return this.#commits.run(() => this.#changes.remove(id, at === 0 ? -desiredDelta : 0));
      });
      await Promise.allSettled(removals);
      throw error;
    }
  }

  #commit<T>(plan: () => Plan<T>): Promise<T> {
    return this.during(this.#commits.run(plan));
  }

  /** A manager goes on with what those before it on its node left; the one that leads, with that of nodes that are away, too. */
  #goneGuard(owner: string): Guard | null {
    if (!owner.startsWith(MANAGER_PREFIX)) return null;
    const { node, token } = nodeAndTokenOf(owner);
    if (node === this.#node) return token === this.#tenure.token ? null : this.#tenure.guard;
    const name = NAMES.manager(node);
    return this.mirror.get(name) === null ? { name, created: 0 } : null;
  }
}
