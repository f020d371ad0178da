import { isActive } from '../../model/deployment.ts';
import type { Instance } from '../../model/instance.ts';
import { newServiceState, type ServiceState } from '../../model/service-state.ts';
import { HEARTBEAT_LIMIT_MS, type Snapshot } from '../registry.ts';
import type { Mirror } from './mirror.ts';
import { NAMES, nodeIn } from './names.ts';
import { valueOf } from './parse.ts';
import { FORM, type OwnService } from './forms.ts';

/** What a picture is made of. */
export const PICTURED = ['id', 'revision', 'instances', 'services', 'shared', 'deployments', 'managers'];

/** After the store was out of reach, for so long nobody counts as away who was not before; milliseconds. */
const GRACE_MS = HEARTBEAT_LIMIT_MS + 1_000;

/** Makes pictures of the desired state. */
export class Pictures {
  readonly #mirror: Mirror;
  /** As it was when the store could be read last. */
  #away: ReadonlySet<string> = new Set();

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  get registryId(): string {
    const entry = this.#mirror.get(NAMES.id);
    return entry === null ? '' : valueOf(FORM.text, entry);
  }

  /** Of the last commit of desired state. */
  get revision(): number {
    return this.#mirror.get(NAMES.revision)?.modified ?? 0;
  }

  /** How long others are waited for yet, in milliseconds; 0: not at all. */
  get grace(): number {
    const { settledAt, wasLost } = this.#mirror;
    return wasLost ? Math.max(0, GRACE_MS - (performance.now() - settledAt)) : 0;
  }

  /** Nodes whose managers give no sign of life. */
  away(): ReadonlySet<string> {
    const kept = this.#instances().filter(({ agent }) => agent === null);
    const named = [...kept.map(({ node }) => node), ...this.#ownServices().map(({ node }) => node)];
    const silent = named.filter((node) => node !== null && this.#mirror.get(NAMES.manager(node)) === null);
    const away = new Set(silent.filter((node) => node !== null));
    if (this.grace > 0) return new Set([...away].filter((node) => this.#away.has(node)));
    this.#away = away;
    return away;
  }

  /**
   * What is there on all nodes. Instances of a node that is away are not, unless their service would have none that is
   * ready: to serve, nobody needs a manager. Announced ones belong to no manager, and are there as long as they are kept.
   * @throws {HeimdallError} REGISTRY_BROKEN naming a key.
   */
  all(): Snapshot {
    const away = this.away();
    const instances = this.#instances();
    const isThere = ({ node, agent }: Instance) => agent !== null || node === null || !away.has(node);
    const served = new Set(
      instances.filter((each) => isThere(each) && each.lifecycle === 'ready').map(({ service }) => service),
    );
    return {
      registryId: this.registryId,
      revision: this.revision,
      services: this.#services((node) => !away.has(node)),
      instances: instances.filter((each) => isThere(each) || !served.has(each.service)),
      ...(away.size === 0 || this.#mirror.all('managers').size === 0 ? {} : { away: [...away].toSorted() }),
    };
  }

  /** What one node's manager has to see to. @throws {HeimdallError} REGISTRY_BROKEN naming a key. */
  own(node: string): Snapshot {
    return {
      registryId: this.registryId,
      revision: this.revision,
      services: this.#services((other) => other === node),
      instances: this.#instances().filter((each) => each.agent === null && (each.node === node || each.node === null)),
    };
  }

  /** What a node keeps of a service; null: nothing. */
  service(node: string, service: string): ServiceState | null {
    const isKept =
      this.#mirror.get(NAMES.service(node, service)) !== null || this.#mirror.get(NAMES.shared(service)) !== null;
    if (!isKept) return null;
    return this.#services((other) => other === node).find((state) => state.service === service) ?? null;
  }

  /** In the order in which they were made. */
  #instances(): Instance[] {
    const found = Array.from(this.#mirror.all('instances').values(), (entry) => {
      const { instance, since, place } = valueOf(FORM.instance, entry);
      return { instance, since: since ?? entry.created, place };
    });
    return found.toSorted((a, b) => a.since - b.since || a.place - b.place).map(({ instance }) => instance);
  }

  #ownServices(): { readonly node: string; readonly state: OwnService }[] {
    return Array.from(this.#mirror.all('services').values(), (entry) => {
      return { node: nodeIn(entry.name), state: valueOf(FORM.ownService, entry) };
    });
  }

  /** Sums of what the nodes keep; if it is none of them, of all. */
  #services(counts: (node: string) => boolean): ServiceState[] {
    const states = new Map<string, ServiceState>();
    const shared = Array.from(this.#mirror.all('shared').values(), (entry) => valueOf(FORM.sharedService, entry));
    const own = this.#ownServices();
    const deploying = this.#deploying(counts);
    for (const { state } of own) states.set(state.service, newServiceState(state.service));
    for (const { service } of shared) states.set(service, newServiceState(service));
    for (const [service, state] of states) {
      const parts = own.filter((each) => each.state.service === service && counts(each.node)).map((each) => each.state);
      const [first] = parts;
      states.set(service, {
        ...state,
        ...shared.find((each) => each.service === service),
        ...(first === undefined ? {} : { release: first.release, scheduled: first.scheduled }),
        desired: parts.reduce((sum, { desired }) => sum + desired, 0),
        configured: parts.reduce((sum, { configured }) => sum + configured, 0),
        deploying: deploying.get(service) ?? null,
      });
    }
    return [...states.values()].toSorted((a, b) => (a.service < b.service ? -1 : 1));
  }

  /** Also while none of its parts is: between two nodes. */
  #deploying(counts: (node: string) => boolean): Map<string, number> {
    const under = new Map<string, number>();
    const begun = new Set<number>();
    const counted = [...this.#mirror.all('deployments').values()].filter(({ name }) => counts(nodeIn(name)));
    const parts = counted.map((entry) => valueOf(FORM.deployment, entry));
    for (const { id, state } of parts) if (state === 'succeeded') begun.add(id);
    for (const part of parts) {
      const isNext = part.state === 'queued' && begun.has(part.id);
      if (isActive(part) || isNext) under.set(part.service, part.id);
    }
    return under;
  }
}
