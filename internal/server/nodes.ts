import { HeimdallError } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import type { NodeRecord } from '../model/node.ts';
import { type ForgottenNode, type NodeView, nodeViewOf } from '../model/node-view.ts';
import type { Service } from '../model/service.ts';
import { nodeNotFound } from '../registry/node-rules.ts';
import { isRegistryAway, type RegistryWriter } from '../registry/registry.ts';
import type { Fleet } from './fleet.ts';
import { portOf } from './instance-named.ts';
import { levelled, placed, type Placing } from './placement.ts';
import { isShown } from './views.ts';

interface NodesOptions {
  readonly context: { readonly registry: Pick<RegistryWriter, 'nodes' | 'forgetNode' | 'snapshot'> };
  readonly fleet: Pick<Fleet, 'get'>;
  /** The services as they are configured here. */
  readonly services: () => readonly Service[];
  /** This node's name; null: there is only one. */
  readonly self: string | null;
}

/** Another node's manager, which can be called. */
export interface Peer {
  readonly node: string;
  readonly url: string;
}

/** The hosts with a manager, and which of them has what. */
export class Nodes {
  readonly #options: NodesOptions;

  constructor(options: NodesOptions) {
    this.#options = options;
  }

  get self(): string | null {
    return this.#options.self;
  }

  /** That of which an instance is started when none is named. */
  get usualService(): string | undefined {
    return this.#options.services().find(({ command }) => command !== undefined)?.name;
  }

  /** By name. */
  async list(): Promise<NodeView[]> {
    const nodes = await this.#options.context.registry.nodes();
    return nodes.map((node) => nodeViewOf(node, this.self));
  }

  /**
   * The manager of a node that is to be called; null: it is this one.
   * @throws {HeimdallError} NODE_NOT_FOUND; NODE_AWAY; NODE_UNREACHABLE when it tells nobody its address.
   */
  async peer(name: string): Promise<Peer | null> {
    if (name === this.self) return null;
    const nodes = await this.#options.context.registry.nodes();
    const node = nodes.find((each) => each.name === name);
    if (node === undefined) throw nodeNotFound(name, nodes);
    if (!node.alive) {
      const since = new Date(node.seenAt).toISOString();
      const message = `node ${name} is away: its manager gave the last sign of life at ${since}`;
      throw new HeimdallError('NODE_AWAY', message, { node: name, awaySince: since });
    }
    if (node.url !== null) return { node: name, url: node.url };
    const message =
      `the manager of node ${name} can be reached from its own machine only: ` +
      'set manager.host, or manager.url, there to an address that the other nodes reach';
    throw new HeimdallError('NODE_UNREACHABLE', message, { node: name });
  }

  /**
   * Takes away what is kept of a node that is gone for good. What still runs there is nobody's from then on.
   * @throws {HeimdallError} NODE_NOT_FOUND; NODE_PRESENT.
   */
  async forget(name: string): Promise<ForgottenNode> {
    const instances = await this.#options.context.registry.forgetNode(name);
    return { name, instances: instances.map(({ id }) => id) };
  }

  /**
   * Which node has the instance that is called by its id or port; null: this one, or it makes no difference.
   * @throws {HeimdallError} AMBIGUOUS_PORT naming the ids and nodes.
   */
  async keeperOf(name: string): Promise<string | null> {
    const { fleet } = this.#options;
    if (this.self === null || fleet.get(name) !== undefined) return null;
    const instances = (await this.#instances()).filter(isShown);
    const port = portOf(name);
    const named = instances.filter(({ id }) => id === name);
    const meant = named.length > 0 ? named : instances.filter((each) => each.port === port);
    const keepers = new Set(meant.map(({ node }) => node));
    if (port !== null && keepers.size > 1) throw ambiguous(port, meant);
    const [instance] = meant;
    if (instance === undefined || instance.agent !== null || instance.node === this.self) return null;
    return instance.node;
  }

  /** How many of `count` new instances each node is to start; empty: nobody else can, and this node is to say why it cannot. */
  async place(service: string | undefined, count: number): Promise<ReadonlyMap<string, number>> {
    const placing = await this.#placing(service);
    return placing === null ? new Map() : placed(placing, count);
  }

  /** How many instances each node is to have when there are to be `total`; empty: as above. */
  async level(service: string, total: number): Promise<ReadonlyMap<string, number>> {
    const placing = await this.#placing(service);
    return placing === null ? new Map() : levelled(placing, total);
  }

  /** The nodes that can start instances of the service, those that are away included; none where there is but one node. */
  async able(service: string): Promise<readonly NodeRecord[]> {
    const nodes = await this.#options.context.registry.nodes();
    return nodes.length < 2 ? [] : nodes.filter(({ services }) => services.includes(service));
  }

  /** The names of the nodes that can start instances of the service and can be called, this one included. */
  async capable(service: string): Promise<readonly string[]> {
    return ((await this.#placing(service))?.nodes ?? []).map(({ name }) => name);
  }

  /** Whether this node is the one to start the next instance of the service; the others find the same. */
  async isFirst(service: string): Promise<boolean> {
    const placing = await this.#placing(service);
    if (placing === null) return true;
    const nobody = { ...placing, self: '', nodes: placing.nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
    const [first] = placed(nobody, 1).keys();
    return first === this.self;
  }

  /** Null when there is but one node, or none that could. */
  async #placing(service: string | undefined): Promise<Placing | null> {
    const { self } = this;
    const { registry } = this.#options.context;
    if (self === null || service === undefined) return null;
    const all = await registry.nodes();
    if (all.length < 2) return null;
    const nodes = all.filter(({ name, alive, url, services }) => {
      return services.includes(service) && (name === self || (alive && url !== null));
    });
    if (nodes.length === 0) return null;
    const { instances } = await registry.snapshot();
    return { service, nodes, instances, self };
  }

  /** None while the registry is away: what this node has, it knows without. */
  async #instances(): Promise<readonly Instance[]> {
    try {
      return (await this.#options.context.registry.snapshot()).instances;
    } catch (error) {
      if (isRegistryAway(error)) return [];
      throw error;
    }
  }
}

function ambiguous(port: number, instances: readonly Instance[]): HeimdallError {
  const all = instances.map(({ id, node }) => ({ id, node }));
  const listed = all.map(({ id, node }) => `${id} on ${node}`).join(', ');
  const message = `several nodes have an instance on port ${port}: ${listed}; name the node with ?node=, or use the id`;
  return new HeimdallError('AMBIGUOUS_PORT', message, { port, instances: all });
}
