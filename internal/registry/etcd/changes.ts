import { isDeepStrictEqual } from 'node:util';
import type { Instance } from '../../model/instance.ts';
import { newServiceState, type ServiceState } from '../../model/service-state.ts';
import { checkInstance, checkStep, newInstance, portTaken } from '../instance-rules.ts';
import { instanceNotFound } from '../refusals.ts';
import type { InstanceChange, InstanceDraft, ServiceChange } from '../registry.ts';
import type { Plan } from './commits.ts';
import type { Instances } from './instances.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import type { Pictures } from './picture.ts';
import type { Guard, Write } from './store.ts';

/** Part of a plan. */
interface Part {
  readonly guards: readonly Guard[];
  readonly writes: readonly Write[];
}

const NOTHING: Part = { guards: [], writes: [] };

interface ChangesOptions {
  readonly mirror: Mirror;
  readonly instances: Instances;
  readonly pictures: Pictures;
  readonly node: string;
}

/** Plans what a manager changes of instances and services. */
export class Changes {
  readonly #options: ChangesOptions;

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  reserve(drafts: readonly InstanceDraft[], ports: readonly number[], desiredDelta: number): Plan<Instance[]> {
    const taken = new Set<string>();
    const instances = drafts.map((draft) => {
      const isFree = (port: number) => {
        return this.#holder(draft.host, port) === null && !taken.has(NAMES.instance(draft.host, port));
      };
      const instance = newInstance(draft, ports, isFree);
      taken.add(NAMES.instance(instance.host, instance.port));
      return instance;
    });
    const service = drafts[0]?.service;
    const counted = service === undefined ? NOTHING : this.#desired(service, desiredDelta);
    const guards = instances.map(({ host, port }) => ({ name: NAMES.instance(host, port), created: 0 }));
    const writes = instances.map((instance, place) => putInstance(instance, null, place));
    return {
      guards: [...guards, ...counted.guards],
      writes: [...writes, ...counted.writes],
      isDesired: true,
      result: () => instances,
    };
  }

  /** @throws {HeimdallError} INSTANCE_NOT_FOUND, LIFECYCLE_CONFLICT, PORT_TAKEN. */
  update(id: string, change: InstanceChange): Plan<{ instance: Instance; revision: number }> {
    const { desiredDelta = 0, ...fields } = change;
    const kept = this.#options.instances.get(id);
    if (kept === null) throw instanceNotFound(id);
    const { instance: before, entry } = kept;
    const instance = checkInstance({ ...before, ...fields });
    checkStep(before, instance);
    const guards: Guard[] = [{ name: entry.name, modified: entry.modified }];
    const writes: Write[] = [];
    const { host, port } = instance;
    if (port !== before.port) {
      const holder = this.#holder(host, port);
      if (holder !== null) throw portTaken(host, port, holder);
      guards.push({ name: NAMES.instance(host, port), created: 0 });
      writes.push({ remove: entry.name });
    }
    const isSame = isDeepStrictEqual(instance, before);
    if (!isSame) writes.push(putInstance(instance, kept.since ?? entry.created, kept.place));
    const counted = this.#desired(instance.service, desiredDelta);
    return {
      guards: [...guards, ...counted.guards],
      writes: [...writes, ...counted.writes],
      isDesired: true,
      result: (revision) => ({ instance, revision }),
    };
  }

  remove(id: string, desiredDelta: number): Plan<void> {
    const kept = this.#options.instances.get(id);
    if (kept === null) return { ...NOTHING, isDesired: true, result: () => {} };
    const { entry, instance } = kept;
    const counted = this.#desired(instance.service, desiredDelta);
    return {
      guards: [{ name: entry.name, modified: entry.modified }, ...counted.guards],
      writes: [{ remove: entry.name }, ...signOf(instance), ...counted.writes],
      isDesired: true,
      result: () => {},
    };
  }

  /** What is different is written; what is new is written whole. */
  service(
    service: string,
    revise: (present: ServiceState) => ServiceChange,
  ): Plan<{
    readonly before: ServiceState;
    readonly after: ServiceState;
    readonly revision: number;
  }> {
    const known = this.#options.pictures.service(this.#options.node, service);
    const before = known ?? newServiceState(service);
    const change = revise(before);
    const after = { ...before, ...change };
    const part = this.servicePart(service, change);
    return { ...part, isDesired: true, result: (revision) => ({ before, after, revision }) };
  }

  servicePart(service: string, change: ServiceChange): Part {
    if (Object.keys(change).length === 0) return NOTHING;
    const { mirror, pictures, node } = this.#options;
    const before = pictures.service(node, service) ?? newServiceState(service);
    const after = { ...before, ...change };
    const parts = [
      { name: NAMES.service(node, service), of: ownPart },
      { name: NAMES.shared(service), of: sharedPart },
    ].map(({ name, of }) => {
      const entry = mirror.get(name);
      const isSame = isDeepStrictEqual(of(before), of(after)) && (entry !== null || of === sharedPart);
      const write: Write = { put: name, value: of(after) };
      return { guard: { name, modified: entry?.modified ?? 0 }, writes: isSame ? [] : [write] };
    });
    return { guards: parts.map(({ guard }) => guard), writes: parts.flatMap(({ writes }) => writes) };
  }

  /** What was set by hand stays as long as another node keeps the service. */
  forgetService(service: string): Plan<void> {
    const { mirror, node } = this.#options;
    const name = NAMES.service(node, service);
    const others = [...mirror.all('services').keys()].filter((key) => key !== name);
    const isLast = !others.some((key) => key.endsWith(`/${encodeURIComponent(service)}`));
    const names = [name, ...(isLast ? [NAMES.shared(service)] : [])].filter((key) => mirror.get(key) !== null);
    return {
      guards: names.map((key) => ({ name: key, modified: mirror.get(key)?.modified ?? 0 })),
      writes: names.map((key) => ({ remove: key })),
      isDesired: true,
      result: () => {},
    };
  }

  /** It never falls below 0. */
  #desired(service: string, delta: number): Part {
    if (delta === 0) return NOTHING;
    const { pictures, node } = this.#options;
    const present = pictures.service(node, service)?.desired ?? 0;
    const desired = Math.max(0, present + delta);
    return desired === present ? NOTHING : this.servicePart(service, { desired });
  }

  /** Whose port it is; null: nobody's. */
  #holder(host: string, port: number): string | null {
    return this.#options.instances.at(host, port)?.instance.id ?? null;
  }
}

/** What goes with an announced instance. */
function signOf({ id, agent }: Instance): Write[] {
  return agent === null ? [] : [{ remove: NAMES.announced(id) }];
}

/** @param since - see `InstanceEntrySchema`. */
export function putInstance(instance: Instance, since: number | null, place: number): Write {
  return { put: NAMES.instance(instance.host, instance.port), value: { instance, since, place } };
}

/** All that is kept of a service. */
export function putService(node: string, state: ServiceState): Write[] {
  return [
    { put: NAMES.service(node, state.service), value: ownPart(state) },
    { put: NAMES.shared(state.service), value: sharedPart(state) },
  ];
}

function ownPart({ service, desired, configured, release, scheduled }: ServiceState): object {
  return { service, desired, configured, release, scheduled };
}

function sharedPart({ service, overrides, pausedSince }: ServiceState): object {
  return { service, overrides, pausedSince };
}
