import type { HealthRecord } from '../model/health.ts';
import { incarnationOf } from '../model/incarnation.ts';
import { type Instance, type Usage, viewOf } from '../model/instance.ts';
import type { Lifecycle } from '../model/lifecycle.ts';
import type { Service } from '../model/service.ts';
import { settingsInForce } from '../model/service-state.ts';
import { compareInstances } from '../model/instance-order.ts';
import type { InstanceView } from '../model/instance-view.ts';
import type { ServiceStatus } from '../model/service-view.ts';
import type { LoadBalancerView } from '../model/manager-status.ts';
import { isAlive, type ProxyRecord, type Snapshot } from '../registry/registry.ts';

const LEAVING: ReadonlySet<Lifecycle> = new Set(['draining', 'stopped']);

/**
 * The instances as the API shows them, ordered by service, host and port. Health that was measured on an earlier process
 * does not count.
 * @param usageOf - what its processes use; undefined where that is not known.
 */
export function viewsOf(
  instances: readonly Instance[],
  health: readonly HealthRecord[],
  usageOf: (instance: Instance) => Usage | undefined = () => undefined,
): InstanceView[] {
  const known = new Map(health.map((record) => [`${record.instanceId} ${record.incarnation}`, record.health]));
  return instances
    .filter(isShown)
    .map((instance) =>
      viewOf(instance, known.get(`${instance.id} ${incarnationOf(instance)}`) ?? 'unknown', usageOf(instance)),
    )
    .toSorted(compareInstances);
}

/** False of an announced one that was removed: it is only there to tell its agent. */
export function isShown({ agent, lifecycle }: Instance): boolean {
  return agent === null || lifecycle !== 'stopped';
}

export function serviceStatusOf(
  service: Service,
  { services, instances }: Pick<Snapshot, 'services' | 'instances'>,
): ServiceStatus {
  const own = instances.filter((instance) => instance.service === service.name);
  const state = services.find((each) => each.service === service.name);
  const count = (...lifecycles: Lifecycle[]) => own.filter(({ lifecycle }) => lifecycles.includes(lifecycle)).length;
  return {
    name: service.name,
    algorithm: settingsInForce(service, state).algorithm,
    desired: state?.desired ?? 0,
    starting: count('starting'),
    running: count('ready'),
    draining: count('draining'),
    error: count('backing-off', 'failed'),
    declared: service.servers.length,
    announced: own.filter(({ agent, lifecycle }) => agent !== null && !LEAVING.has(lifecycle)).length,
  };
}

/** @param now - epoch milliseconds. */
export function loadBalancerStatusOf(proxy: ProxyRecord, now: number): LoadBalancerView {
  return {
    id: proxy.id,
    pid: proxy.pid,
    startedAt: new Date(proxy.startedAt).toISOString(),
    appliedRevision: proxy.appliedRevision,
    heartbeatAgeMs: Math.max(0, now - proxy.heartbeatAt),
    alive: isAlive(proxy, now),
  };
}
