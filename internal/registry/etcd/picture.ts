import { isActive } from '../../model/deployment.ts';
import type { Instance } from '../../model/instance.ts';
import { newServiceState, type ServiceState } from '../../model/service-state.ts';
import { HEARTBEAT_LIMIT_MS, type Snapshot } from '../registry.ts';
import { FORM, type OwnService } from './forms.ts';
import type { Instances } from './instances.ts';
import type { Mirror } from './mirror.ts';
import { NAMES, nodeIn } from './names.ts';
import { valueOf } from './parse.ts';
import { assertFormat } from './registry-id.ts';
import type { Entry } from './store.ts';
import { UnderWay } from './under-way.ts';

/** What a picture is made of. */
export const PICTURED = ['id', 'format', 'revision', 'instances', 'services', 'shared', 'deployments', 'managers'];

/** After the store was out of reach, for so long nobody counts as away who was not before; milliseconds. */
const GRACE_MS = HEARTBEAT_LIMIT_MS + 1_000;

type Source = Pick<Mirror, 'get' | 'all' | 'noteOf' | 'settledAt' | 'wasLost'>;

/** Makes pictures of the desired state. What has not changed is the same object in the next one. */
export class Pictures {
  readonly #mirror: Source;
  readonly #instances: Instances;
  readonly #underWay: UnderWay;
  /** As it was when the store could be read last. */
  #away: ReadonlySet<string> = new Set();

  constructor(mirror: Source, instances: Instances) {
    this.#mirror = mirror;
    this.#instances = instances;
    this.#underWay = new UnderWay(mirror);
  }

  get registryId(): string {
    const entry = this.#mirror.get(NAMES.id);
    return entry === null ? '' : valueOf(FORM.text, entry);
  }

  /** Of the last commit of desired state. */
  get revision(): number {
    return this.#mirror.get(NAMES.revision)?.modified ?? 0;
  }

  /** @throws {HeimdallError} REGISTRY_BROKEN: it is of a newer heimdall. */
  check(): void {
    assertFormat(this.#mirror.get(NAMES.format));
  }

  /** Another one: another picture. */
  get token(): string {
    const away = [...this.away()].toSorted();
    return [this.registryId, this.revision, this.#hasManager, ...away].join(' ');
  }

  /** How long others are waited for yet, in milliseconds; 0: not at all. */
  get grace(): number {
    const { settledAt, wasLost } = this.#mirror;
    return wasLost ? Math.max(0, GRACE_MS - (performance.now() - settledAt)) : 0;
  }

  /** Nodes whose managers give no sign of life. */
  away(): ReadonlySet<string> {
    const named = new Set([...this.#instances.nodes(), ...this.#ownServices().map(({ node }) => node)]);
    const away = new Set([...named].filter((node) => this.#mirror.get(NAMES.manager(node)) === null));
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
    this.check();
    const away = this.away();
    return {
      registryId: this.registryId,
      revision: this.revision,
      services: this.#services((node) => !away.has(node)),
      instances: away.size === 0 ? this.#instances.rows() : this.#without(away),
      ...(away.size === 0 || !this.#hasManager ? {} : { away: [...away].toSorted() }),
    };
  }

  /** What one node's manager has to see to. @throws {HeimdallError} REGISTRY_BROKEN naming a key. */
  own(node: string): Snapshot {
    this.check();
    const rows = this.#instances.rows();
    return {
      registryId: this.registryId,
      revision: this.revision,
      services: this.#services((other) => other === node),
      instances: rows.filter((each) => each.agent === null && (each.node === node || each.node === null)),
    };
  }

  /** What a node keeps of a service; null: nothing. */
  service(node: string, service: string): ServiceState | null {
    const own = this.#mirror.get(NAMES.service(node, service));
    const shared = this.#mirror.get(NAMES.shared(service));
    if (own === null && shared === null) return null;
    const deploying = this.#deploying((other) => other === node).get(service) ?? null;
    return stateOf(service, own === null ? [] : [valueOf(FORM.ownService, own)], shared, deploying);
  }

  get #hasManager(): boolean {
    return this.#mirror.all('managers').size > 0;
  }

  #without(away: ReadonlySet<string>): Instance[] {
    const rows = this.#instances.rows();
    const isThere = ({ node, agent }: Instance) => agent !== null || node === null || !away.has(node);
    const served = new Set(
      rows.filter((each) => isThere(each) && each.lifecycle === 'ready').map(({ service }) => service),
    );
    return rows.filter((each) => isThere(each) || !served.has(each.service));
  }

  #ownServices(): { readonly node: string; readonly state: OwnService }[] {
    return Array.from(this.#mirror.all('services').values(), (entry) => {
      return { node: nodeIn(entry.name), state: valueOf(FORM.ownService, entry) };
    });
  }

  /** Sums of what the nodes keep; if it is none of them, of all. */
  #services(counts: (node: string) => boolean): ServiceState[] {
    const own = Map.groupBy(this.#ownServices(), ({ state }) => state.service);
    const shared = Array.from(this.#mirror.all('shared').values(), (entry) => valueOf(FORM.sharedService, entry));
    const deploying = this.#deploying(counts);
    const names = new Set([...own.keys(), ...shared.map(({ service }) => service)]);
    return [...names].toSorted().map((service) => {
      const parts = (own.get(service) ?? []).filter(({ node }) => counts(node)).map(({ state }) => state);
      return stateOf(service, parts, this.#mirror.get(NAMES.shared(service)), deploying.get(service) ?? null);
    });
  }

  /** Also while none of its parts is: between two nodes. */
  #deploying(counts: (node: string) => boolean): Map<string, number> {
    const under = new Map<string, number>();
    const hasSucceeded = (node: string, id: number): boolean => {
      const entry = counts(node) ? this.#mirror.get(NAMES.deployment(node, id)) : null;
      return entry !== null && valueOf(FORM.deployment, entry).state === 'succeeded';
    };
    for (const [name, part] of this.#underWay.parts()) {
      if (!counts(nodeIn(name))) continue;
      const isNext = part.state === 'queued' && part.nodes.some((node) => hasSucceeded(node, part.id));
      if (isActive(part) || isNext) under.set(part.service, part.id);
    }
    return under;
  }
}

/** @param parts - what nodes keep of it. @param shared - what all keep of it. */
function stateOf(
  service: string,
  parts: readonly OwnService[],
  shared: Entry | null,
  deploying: number | null,
): ServiceState {
  const [first] = parts;
  return {
    ...newServiceState(service),
    ...(shared === null ? {} : valueOf(FORM.sharedService, shared)),
    ...(first === undefined ? {} : { release: first.release, scheduled: first.scheduled }),
    desired: parts.reduce((sum, { desired }) => sum + desired, 0),
    configured: parts.reduce((sum, { configured }) => sum + configured, 0),
    deploying,
  };
}
