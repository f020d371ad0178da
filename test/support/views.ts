import type { AlertView } from '../../internal/model/alert-view.ts';
import type { DeploymentView } from '../../internal/model/deployment-view.ts';
import type { InstanceView } from '../../internal/model/instance-view.ts';
import type { LiveInstance, LiveState, Traffic } from '../../internal/model/live.ts';
import type { ServiceView } from '../../internal/model/service-view.ts';

/** 2026-11-21T20:00:00Z, when everything here happens. */
export const NOW = Date.UTC(2026, 10, 21, 20);

/** So many seconds ago, in ISO 8601. */
export function ago(seconds: number): string {
  return new Date(NOW - seconds * 1_000).toISOString();
}

export function instanceView(port: number, changes: Partial<InstanceView> = {}): InstanceView {
  return {
    id: `web-${port}-aaaaaa`,
    service: 'web',
    host: '127.0.0.1',
    port,
    node: null,
    url: `http://127.0.0.1:${port}`,
    pid: 100 + (port % 100),
    status: 'running',
    health: 'healthy',
    weight: 1,
    version: null,
    startedAt: ago(200),
    restarts: 0,
    ...changes,
  };
}

export function serviceView(name: string, changes: Partial<ServiceView> = {}): ServiceView {
  return {
    name,
    algorithm: 'round-robin',
    desired: 2,
    starting: 0,
    running: 2,
    draining: 0,
    error: 0,
    declared: 0,
    announced: 0,
    spawned: true,
    maxConnections: null,
    weight: 1,
    overridden: [],
    version: null,
    release: { deployment: null, version: null, variant: null, env: [] },
    deploying: null,
    pausedSince: null,
    ...changes,
  };
}

export function deploymentView(changes: Partial<DeploymentView> = {}): DeploymentView {
  const release = { deployment: 7, version: '1.4', variant: null, env: [] };
  return {
    id: 7,
    service: 'web',
    kind: 'deploy',
    state: 'succeeded',
    by: 'ann',
    nodes: [],
    version: '1.4',
    release,
    previous: null,
    createdAt: ago(61),
    startedAt: ago(60),
    finishedAt: ago(48),
    ...changes,
  };
}

export function alertView(changes: Partial<AlertView> = {}): AlertView {
  return {
    id: 'c5',
    key: 'instance-down/web',
    state: 'active',
    severity: 'warning',
    title: 'web-9001-aaaaaa is down',
    cause: 'connect ECONNREFUSED',
    service: 'web',
    instance: 'web-9001-aaaaaa',
    node: null,
    since: ago(90),
    resolvedAt: null,
    durationMs: 90_000,
    announced: true,
    silenced: false,
    acknowledged: null,
    ...changes,
  };
}

export const NO_TRAFFIC: Traffic = { rps: 0, errorRate: null, p50: null, p95: null, p99: null, inFlight: 0 };

export function liveInstance(port: number, changes: Partial<LiveInstance> = {}): LiveInstance {
  return { ...instanceView(port), healthCause: '', drain: null, traffic: NO_TRAFFIC, ...changes };
}

/** With a service `web` of these instances. */
export function liveState(instances: readonly LiveInstance[], changes: Partial<LiveState> = {}): LiveState {
  return {
    at: ago(0),
    version: '1.2.3',
    revision: 5,
    loadBalancers: [{ id: 'lb', pid: 9, startedAt: ago(200), appliedRevision: 5, heartbeatAgeMs: 0, alive: true }],
    nodes: [],
    services: [{ ...serviceView('web'), waiting: 0, traffic: NO_TRAFFIC }],
    instances,
    deployments: [],
    alerts: [],
    silences: [],
    events: [],
    ...changes,
  };
}
