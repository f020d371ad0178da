import { type Instance, viewOf } from '../../internal/model/instance.ts';
import type { LiveInstance, LiveService, LiveState, Traffic } from '../../internal/model/live.ts';
import { instance } from './instance-row.ts';
import { serviceView } from './views.ts';

export const NO_TRAFFIC: Traffic = { rps: 0, errorRate: null, p50: null, p95: null, p99: null, inFlight: 0 };

export function liveState(changes: Partial<LiveState> = {}): LiveState {
  return {
    at: '2026-01-02T12:00:00.000Z',
    version: '1.2.3',
    revision: 7,
    loadBalancers: [],
    nodes: [],
    services: [],
    instances: [],
    deployments: [],
    alerts: [],
    silences: [],
    events: [],
    ...changes,
  };
}

export function liveService(name: string, changes: Partial<LiveService> = {}): LiveService {
  return { ...serviceView(name, { desired: 1, running: 1 }), waiting: 0, traffic: NO_TRAFFIC, ...changes };
}

export function liveInstance(
  { id, ...changes }: Partial<Instance> & Pick<Instance, 'id'>,
  live: Partial<LiveInstance> = {},
): LiveInstance {
  const view = viewOf(instance(id, changes), 'healthy');
  return { ...view, healthCause: 'passed', drain: null, traffic: NO_TRAFFIC, ...live };
}
