import type { InstanceView } from '../model/instance-view.ts';
import type { LiveService } from '../model/live.ts';
import type { AlertView } from '../model/alert-view.ts';
import type { LoadBalancerView } from '../model/manager-status.ts';
import type { NodeView } from '../model/node-view.ts';
import { placeOf } from '../model/proxy-place.ts';

/** Each tone has a colour, each shape a mark: nothing is told by colour alone. */
export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'idle';
export type Shape = 'disc' | 'cross' | 'triangle' | 'diamond' | 'arrow' | 'ring' | 'bars' | 'turn';

export interface Standing {
  readonly word: string;
  readonly tone: Tone;
  readonly shape: Shape;
}

const LIFECYCLE = {
  starting: { word: 'starting', tone: 'busy', shape: 'turn' },
  running: { word: 'running', tone: 'good', shape: 'disc' },
  draining: { word: 'draining', tone: 'warn', shape: 'arrow' },
  error: { word: 'down', tone: 'bad', shape: 'cross' },
  stopped: { word: 'stopped', tone: 'idle', shape: 'ring' },
} as const satisfies Record<InstanceView['status'], Standing>;

const HEALTH = {
  healthy: { word: 'healthy', tone: 'good', shape: 'disc' },
  unhealthy: { word: 'unhealthy', tone: 'bad', shape: 'triangle' },
  ejected: { word: 'ejected', tone: 'warn', shape: 'diamond' },
  unknown: { word: 'unchecked', tone: 'idle', shape: 'ring' },
} as const satisfies Record<InstanceView['health'], Standing>;

const SEVERITY = {
  critical: { word: 'critical', tone: 'bad', shape: 'cross' },
  warning: { word: 'warning', tone: 'warn', shape: 'triangle' },
  info: { word: 'info', tone: 'busy', shape: 'ring' },
} as const satisfies Record<AlertView['severity'], Standing>;

/** What the manager does with it. */
export function lifecycleOf({ status }: Pick<InstanceView, 'status'>): Standing {
  return LIFECYCLE[status];
}

/** What the load balancers see of it. */
export function healthOf({ health }: Pick<InstanceView, 'health'>): Standing {
  return HEALTH[health];
}

export function severityOf({ severity }: Pick<AlertView, 'severity'>): Standing {
  return SEVERITY[severity];
}

/** Both in one mark, where there is room for one only: the lifecycle, and while that is `running` the health. */
export function instanceStanding(instance: Pick<InstanceView, 'status' | 'health'>): Standing {
  return instance.status === 'running' ? healthOf(instance) : lifecycleOf(instance);
}

/** How many instances there should be. */
export function wantedOf({
  desired,
  declared,
  announced,
}: Pick<LiveService, 'desired' | 'declared' | 'announced'>): number {
  return desired + declared + announced;
}

/** Fit to be given requests. */
export function isHealthy({ status, health }: Pick<InstanceView, 'status' | 'health'>): boolean {
  return status === 'running' && health === 'healthy';
}

type ServiceFacts = Pick<LiveService, 'desired' | 'declared' | 'announced' | 'starting' | 'deploying' | 'pausedSince'>;

/** The state of a service in one word, the most pressing first. */
export function serviceStanding(service: ServiceFacts, healthy: number): Standing {
  const wanted = wantedOf(service);
  if (service.pausedSince !== null) return { word: 'paused', tone: 'warn', shape: 'bars' };
  if (wanted === 0 && healthy === 0) return { word: 'no instances', tone: 'idle', shape: 'ring' };
  if (healthy === 0 && service.starting > 0) return { word: 'starting', tone: 'busy', shape: 'turn' };
  if (healthy === 0) return { word: 'down', tone: 'bad', shape: 'cross' };
  if (service.deploying !== null) return { word: 'deploying', tone: 'busy', shape: 'turn' };
  if (healthy < wanted) return { word: 'degraded', tone: 'warn', shape: 'triangle' };
  return { word: 'healthy', tone: 'good', shape: 'disc' };
}

/** Of a load balancer among others. @param revision - of the registry; null: it cannot be read. */
export function balancerStanding(
  balancer: LoadBalancerView,
  all: readonly LoadBalancerView[],
  { at, revision }: { readonly at: string; readonly revision: number | null },
): Standing {
  if (isReplaced(balancer, all, at)) return { word: 'replaced', tone: 'idle', shape: 'ring' };
  if (!balancer.alive) return { word: 'silent', tone: 'bad', shape: 'cross' };
  if (balancer.appliedRevision === null) return { word: 'starting', tone: 'busy', shape: 'turn' };
  if (balancer.appliedRevision < (revision ?? 0)) return { word: 'catching up', tone: 'busy', shape: 'turn' };
  return { word: 'in service', tone: 'good', shape: 'disc' };
}

/** Whether it ended without saying so, and another one was started in its place since. */
export function isReplaced(
  { id, alive, heartbeatAgeMs }: LoadBalancerView,
  all: readonly LoadBalancerView[],
  now: string,
): boolean {
  const heardAt = Date.parse(now) - heartbeatAgeMs;
  const isNext = (other: LoadBalancerView) =>
    other.alive && placeOf(other.id) === placeOf(id) && Date.parse(other.startedAt) >= heardAt;
  return !alive && all.some(isNext);
}

/** Of a host with a manager. */
export function nodeStanding({ alive }: Pick<NodeView, 'alive'>): Standing {
  return alive ? { word: 'there', tone: 'good', shape: 'disc' } : { word: 'away', tone: 'bad', shape: 'cross' };
}
