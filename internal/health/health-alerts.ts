import type { Alert, FoldingSink } from '../../pkg/alerts/alert.ts';
import type { Instance } from '../model/instance.ts';
import { conditionCause, type Findings } from './condition-cause.ts';

/** An instance as a load balancer sees it. */
export interface ExaminedInstance extends Findings {
  readonly id: string;
  readonly instance: Pick<Instance, 'id' | 'service' | 'lifecycle' | 'lastError' | 'agent' | 'node'>;
  /** Neither checks nor requests speak against it. */
  readonly isFit: boolean;
}

/** A service as a load balancer sees it. */
export interface ExaminedService {
  readonly name: string;
  upstreams(): Iterable<ExaminedInstance>;
}

/** Knows what an instance wrote before its process ended. */
export interface LastWordsOf {
  of(service: string, instanceId: string, endedAt: number): Promise<readonly string[]>;
}

/**
 * Turns the state of the services into alerts: an instance that is down, a service that has no healthy instance left.
 * What a person asked for (adding, draining, removing) is no alert.
 */
export class HealthAlerts {
  readonly #sink: FoldingSink;
  /** Epoch milliseconds. */
  readonly #now: () => number;
  readonly #lastWords: LastWordsOf;
  readonly #namesNodes: boolean;
  readonly #active = new Map<string, Alert>();
  /** Keys of those whose instances agents have announced. */
  readonly #announced = new Set<string>();
  /** Nodes that are away, of which a manager tells. */
  #away: ReadonlySet<string> = new Set();
  /** Keys of those whose process has ended, as was told. */
  readonly #quoted = new Set<string>();
  #leading = false;

  /** @param namesNodes - whether there may be several nodes, so that alerts say which. */
  constructor(sink: FoldingSink, now: () => number, lastWords: LastWordsOf, namesNodes = false) {
    this.#sink = sink;
    this.#now = now;
    this.#lastWords = lastWords;
    this.#namesNodes = namesNodes;
  }

  /** What is told of a node that is away needs not be told of each of its instances. To be followed by an update of all pools. */
  away(nodes: ReadonlySet<string>): void {
    this.#away = nodes;
  }

  /** Of several load balancers that see the same, one speaks. The one that takes over goes on with what is wrong. */
  lead(leading: boolean): void {
    if (leading === this.#leading) return;
    this.#leading = leading;
    for (const condition of this.#active.values()) {
      if (leading) this.#sink.raise(condition);
      else this.#sink.release(condition.key);
    }
  }

  /**
   * Takes over conditions that another load balancer has told of: they hold until the service shows that they do not.
   * @param services - all that there are.
   * @returns those that are not about health.
   */
  inherit(alerts: readonly Alert[], services: Iterable<ExaminedService>): Alert[] {
    const others = alerts.filter((alert) => !isAboutHealth(alert));
    for (const alert of alerts)
      if (isAboutHealth(alert)) this.#active.set(alert.key, this.#active.get(alert.key) ?? alert);
    const unknown = new Set(alerts.flatMap(({ service = [] }) => service));
    for (const service of services) {
      unknown.delete(service.name);
      this.update(service);
    }
    for (const name of unknown) this.removed(name);
    return others;
  }

  update(service: ExaminedService): void {
    const upstreams = [...service.upstreams()];
    const down = upstreams.filter((upstream) => this.#isDown(upstream));
    this.#settle(
      instanceKey(service.name, ''),
      down
        .filter(({ instance }) => !this.#isLost(instance))
        .map((upstream) => this.#instanceDown(service, upstream, upstreams.filter(isWanted).length)),
      new Set(upstreams.map(({ id }) => instanceKey(service.name, id))),
    );
    for (const { instance } of down) if (hasEnded(instance) && instance.agent === null) void this.#quote(instance);
    const empty = down.length > 0 && !upstreams.some((upstream) => isServing(upstream));
    this.#settle(serviceKey(service.name), empty ? [this.#serviceDown(service, down)] : []);
  }

  removed(service: string): void {
    this.#settle(instanceKey(service, ''), []);
    this.#settle(serviceKey(service), []);
  }

  /** Adds to an alert, once, how the process ended and what it wrote last: that it is down need not wait for it. */
  async #quote({ service, id, lastError }: ExaminedInstance['instance']): Promise<void> {
    const key = instanceKey(service, id);
    const alert = this.#active.get(key);
    if (alert === undefined || this.#quoted.has(key)) return;
    this.#quoted.add(key);
    const cause = [lastError ?? alert.cause, ...(await this.#lastWords.of(service, id, this.#now()))].join('\n');
    if (this.#active.get(key) !== alert || cause === alert.cause) return;
    const quoted = { ...alert, cause };
    this.#active.set(key, quoted);
    if (this.#leading) this.#sink.raise(quoted);
  }

  /** It went with its node. */
  #isLost({ node, agent }: Pick<Instance, 'node' | 'agent'>): boolean {
    return agent === null && node !== null && this.#away.has(node);
  }

  /** A crashed instance stays down until it is healthy again; a new one that is still starting is not down. */
  #isDown({ id, instance: { service, lifecycle }, condition }: ExaminedInstance): boolean {
    if (lifecycle === 'ready') {
      if (condition === 'healthy') return false; // so are most
      if (condition !== 'unknown') return true;
    } else if (lifecycle !== 'starting') return hasEnded({ lifecycle });
    return this.#active.has(instanceKey(service, id));
  }

  #instanceDown({ name }: ExaminedService, upstream: ExaminedInstance, outOf: number): Alert {
    const { id, instance, condition } = upstream;
    const isEjected = instance.lifecycle === 'ready' && condition === 'ejected';
    const cause =
      instance.lifecycle === 'ready' ? conditionCause(upstream) : (instance.lastError ?? instance.lifecycle);
    if (instance.agent !== null) this.#announced.add(instanceKey(name, id));
    return {
      key: instanceKey(name, id),
      severity: 'warning',
      title: isEjected ? `${id} is ejected` : `${id} is down`,
      cause,
      service: name,
      instance: id,
      node: (this.#namesNodes && instance.node) || undefined,
      outOf: isEjected ? undefined : outOf,
      at: this.#now(),
    };
  }

  #serviceDown({ name }: ExaminedService, down: readonly ExaminedInstance[]): Alert {
    const away = new Set(down.flatMap(({ instance }) => (this.#isLost(instance) ? [instance.node] : [])));
    const lost = away.size === 0 ? '' : ` (away: node ${[...away].join(', ')})`;
    return {
      key: serviceKey(name),
      severity: 'critical',
      title: `${name} has no healthy instance`,
      cause: `${down.length} of ${down.length} down: ${down.map(({ id }) => id).join(', ')}${lost}`,
      service: name,
      at: this.#now(),
    };
  }

  /** An instance of a node that is away is told of with the node, one that its agent left behind with the agent. */
  #isToldElsewhere(key: string, isPresent: boolean): boolean {
    const { node } = this.#active.get(key) ?? {};
    if (this.#announced.has(key)) return !isPresent;
    return node !== undefined && this.#away.has(node);
  }

  /**
   * Makes `conditions` the active ones among those whose key begins with `prefix`.
   * @param present - keys of the instances that are there still; default: all.
   */
  #settle(prefix: string, conditions: readonly Alert[], present?: ReadonlySet<string>): void {
    const keys = new Set(conditions.map(({ key }) => key));
    for (const key of [...this.#active.keys()]) {
      if (!key.startsWith(prefix) || keys.has(key)) continue;
      const isToldElsewhere = this.#isToldElsewhere(key, present?.has(key) ?? true);
      this.#active.delete(key);
      this.#quoted.delete(key);
      this.#announced.delete(key);
      if (!this.#leading) continue;
      if (isToldElsewhere) this.#sink.retract(key, this.#now());
      else this.#sink.resolve(key, this.#now());
    }
    for (const condition of conditions) {
      const known = this.#active.get(condition.key);
      if (known?.title === condition.title) continue;
      const current = { ...condition, at: known?.at ?? condition.at }; // who is ejected first may be found down later
      this.#active.set(condition.key, current);
      if (this.#leading) this.#sink.raise(current);
    }
  }
}

function hasEnded({ lifecycle }: Pick<Instance, 'lifecycle'>): boolean {
  return lifecycle === 'backing-off' || lifecycle === 'failed';
}

function isWanted({ instance: { lifecycle } }: ExaminedInstance): boolean {
  return lifecycle !== 'draining' && lifecycle !== 'stopped';
}

function isServing({ instance, isFit }: ExaminedInstance): boolean {
  return instance.lifecycle === 'ready' && isFit;
}

function isAboutHealth({ key, service }: Alert): boolean {
  return service !== undefined && (key.startsWith(instanceKey(service, '')) || key === serviceKey(service));
}

function instanceKey(service: string, id: string): string {
  return `instance-down:${service}/${id}`;
}

function serviceKey(service: string): string {
  return `service-down:${service}/`;
}
