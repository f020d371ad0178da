import { compareInstances } from './instance-order.ts';
import type { LiveChange, LiveInstance, LiveService, LiveState, LiveTick } from './live.ts';

/** So many events a state has. */
export const LIVE_EVENTS = 100;

/** The state that a tick makes of the one before. What did not change is the same object as before. */
export function after(state: LiveState, tick: LiveTick): LiveState {
  return {
    at: tick.at,
    version: tick.version ?? state.version,
    revision: tick.revision === undefined ? state.revision : tick.revision,
    loadBalancers: tick.loadBalancers ?? state.loadBalancers,
    nodes: tick.nodes ?? state.nodes,
    services: servicesAfter(state.services, tick),
    instances: instancesAfter(state.instances, tick),
    deployments: tick.deployments ?? state.deployments,
    alerts: tick.alerts ?? state.alerts,
    silences: tick.silences ?? state.silences,
    events: tick.events === undefined ? state.events : [...tick.events, ...state.events].slice(0, LIVE_EVENTS),
  };
}

function servicesAfter(before: LiveState['services'], { services, gone = [] }: LiveChange): LiveState['services'] {
  if (services === undefined && gone.length === 0) return before;
  const changed = new Map<string, LiveService>(services?.map((service) => [service.name, service]));
  const left = before.filter(({ name }) => !gone.includes(name));
  if (services !== undefined && left.every(({ name }) => changed.has(name))) return services;
  return left.map((service) => changed.get(service.name) ?? service);
}

function instancesAfter(before: LiveState['instances'], change: LiveChange): LiveState['instances'] {
  const { instances, figures, gone = [] } = change;
  if (instances === undefined && figures === undefined && gone.length === 0) return before;
  const left = new Map<string, LiveInstance>(before.map((instance) => [instance.id, instance]));
  for (const id of gone) left.delete(id);
  for (const [id, changed] of Object.entries(figures ?? {})) {
    const known = left.get(id);
    if (known !== undefined) left.set(id, { ...known, ...changed });
  }
  for (const instance of instances ?? []) left.set(instance.id, instance);
  return instances === undefined ? [...left.values()] : [...left.values()].toSorted(compareInstances);
}
