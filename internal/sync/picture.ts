import { compareInstances } from '../model/instance-order.ts';
import type { Health } from '../model/health.ts';
import { declaredInstances, type Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import { settingsInForce } from '../model/service-state.ts';
import type { Snapshot } from '../registry/registry.ts';

/** `down` gets no requests because of its health, or because its service is paused; `draining` because it is to go. */
type ServerState = 'up' | 'down' | 'draining';

/** An instance as a front, such as nginx, is to see it. */
export interface SyncedServer extends Pick<Instance, 'id' | 'host' | 'port' | 'weight' | 'node'> {
  readonly state: ServerState;
}

export interface SyncedService {
  readonly name: string;
  readonly algorithm: Service['algorithm'];
  /** See `HashKeySchema`. */
  readonly hashKey: string;
  /** Nobody gets its requests. */
  readonly isPaused: boolean;
  /** By host and port. */
  readonly servers: readonly SyncedServer[];
}

/** What is to be in force in a front. */
export interface Picture {
  /** Of the registry. */
  readonly revision: number;
  readonly services: readonly SyncedService[];
}

/** What the checks say of an instance. */
export interface Condition {
  readonly health: Health;
  /** Nobody can connect to it. */
  readonly unreachable: boolean;
}

/** @param services - as configured, only those that the front serves. */
export function pictureOf(
  snapshot: Snapshot,
  services: readonly Service[],
  conditionOf: (instance: Instance) => Condition,
): Picture {
  return {
    revision: snapshot.revision,
    services: services.map((configured) => {
      const state = snapshot.services.find(({ service }) => service === configured.name);
      const { name, algorithm, hash, ...service } = settingsInForce(configured, state);
      const isPaused = (state?.pausedSince ?? null) !== null;
      const instances = instancesOf(configured, snapshot);
      const servers = isPaused ? resting(instances) : serversOf(service, instances, conditionOf);
      return { name, algorithm, hashKey: hash.key, isPaused, servers };
    }),
  };
}

/** Those of the configuration, and those of the registry. */
export function instancesOf(service: Service, { instances }: Pick<Snapshot, 'instances'>): Instance[] {
  return [...declaredInstances(service), ...instances.filter((instance) => instance.service === service.name)].toSorted(
    compareInstances,
  );
}

export function drainingOf({ services }: Picture): SyncedServer[] {
  return services.flatMap(({ servers }) => servers.filter(({ state }) => state === 'draining'));
}

/**
 * The rules are those of heimdall's own load balancer: who was never checked gets nothing, and is left out; when too few are
 * healthy (`panicThreshold`), the unhealthy get requests, too, but for those to which nobody can connect; when none is, all get
 * them (`neverEmpty`), because the checks may be wrong.
 */
function serversOf(
  { healthCheck, panicThreshold }: Pick<Service, 'healthCheck' | 'panicThreshold'>,
  instances: readonly Instance[],
  conditionOf: (instance: Instance) => Condition,
): SyncedServer[] {
  const conditions = new Map(instances.map((instance) => [instance.id, conditionOf(instance)]));
  const known = instances.filter(
    ({ id, lifecycle }) => lifecycle === 'ready' && conditions.get(id)?.health !== 'unknown',
  );
  const fit = known.filter(({ id }) => conditions.get(id)?.health === 'healthy');
  const panics = fit.length > 0 && fit.length < known.length * panicThreshold;
  const reachable = known.filter(({ id }) => conditions.get(id)?.unreachable !== true);
  const spare = fit.length === 0 ? known : panics ? reachable : fit;
  const up = new Set((healthCheck.neverEmpty ? spare : fit).map(({ id }) => id));
  const isKnown = new Set(known.map(({ id }) => id));
  return instances
    .filter(({ id, lifecycle }) => lifecycle === 'draining' || isKnown.has(id))
    .map((instance) => serverOf(instance, up.has(instance.id)));
}

/** Of a service that is paused. */
function resting(instances: readonly Instance[]): SyncedServer[] {
  const there = instances.filter(({ lifecycle }) => lifecycle === 'draining' || lifecycle === 'ready');
  return there.map((instance) => serverOf(instance, false));
}

function serverOf({ id, host, port, weight, node, lifecycle }: Instance, isUp: boolean): SyncedServer {
  return { id, host, port, weight, node, state: lifecycle === 'draining' ? 'draining' : isUp ? 'up' : 'down' };
}
