import { isDeepStrictEqual } from 'node:util';
import type { AlertView } from '../../model/alert-view.ts';
import type { LiveChange, LiveFigures, LiveInstance, LiveService, LiveState } from '../../model/live.ts';

/** Lists that are told whole when anything in them has changed. */
const LISTS = ['loadBalancers', 'nodes', 'deployments', 'silences'] as const satisfies readonly (keyof LiveState)[];

/** What `after` needs to make the second state of the first. */
export function changeBetween(before: LiveState, next: LiveState): LiveChange {
  const changed = LISTS.filter((list) => !isDeepStrictEqual(before[list], next[list]));
  const services = changedServices(before.services, next.services);
  const { whole, figures } = changedInstances(before.instances, next.instances);
  const gone = goneOf(before, next);
  const newest = before.events[0]?.id ?? 0;
  const events = next.events.filter(({ id }) => id > newest);
  return {
    ...(before.revision === next.revision ? {} : { revision: next.revision }),
    ...(before.version === next.version ? {} : { version: next.version }),
    ...Object.fromEntries(changed.map((list) => [list, next[list]])),
    ...(isDeepStrictEqual(before.alerts.map(ageless), next.alerts.map(ageless)) ? {} : { alerts: next.alerts }),
    ...(services.length === 0 ? {} : { services }),
    ...(whole.length === 0 ? {} : { instances: whole }),
    ...(Object.keys(figures).length === 0 ? {} : { figures }),
    ...(gone.length === 0 ? {} : { gone }),
    ...(events.length === 0 ? {} : { events }),
  };
}

/** An active alert grows older by itself. */
function ageless(alert: AlertView): AlertView {
  return { ...alert, durationMs: 0 };
}

function changedServices(before: readonly LiveService[], next: readonly LiveService[]): readonly LiveService[] {
  const names = new Set(next.map(({ name }) => name));
  const left = before.filter(({ name }) => names.has(name));
  if (left.length !== next.length || left.some(({ name }, at) => name !== next[at]?.name)) return next;
  return next.filter((service, at) => !isDeepStrictEqual(service, left[at]));
}

function changedInstances(before: readonly LiveInstance[], next: readonly LiveInstance[]) {
  const known = new Map(before.map((instance) => [instance.id, instance]));
  const whole: LiveInstance[] = [];
  const figures: Record<string, LiveFigures> = {};
  for (const instance of next) {
    const earlier = known.get(instance.id);
    const changed = earlier === undefined ? null : figuresBetween(earlier, instance);
    if (changed === null) whole.push(instance);
    else if (Object.keys(changed).length > 0) figures[instance.id] = changed;
  }
  return { whole, figures };
}

/** Null: something else has changed, or there is a figure no more. */
function figuresBetween(before: LiveInstance, next: LiveInstance): LiveFigures | null {
  const { traffic: trafficBefore, cpu: cpuBefore, memory: memoryBefore, ...restBefore } = before;
  const { traffic, cpu, memory, ...rest } = next;
  const isLost = (cpu === undefined && cpuBefore !== undefined) || (memory === undefined && memoryBefore !== undefined);
  if (isLost || !isDeepStrictEqual(restBefore, rest)) return null;
  return {
    ...(isDeepStrictEqual(trafficBefore, traffic) ? {} : { traffic }),
    ...(cpu === undefined || cpu === cpuBefore ? {} : { cpu }),
    ...(memory === undefined || memory === memoryBefore ? {} : { memory }),
  };
}

function goneOf(before: LiveState, next: LiveState): string[] {
  const present = new Set([...next.services.map(({ name }) => name), ...next.instances.map(({ id }) => id)]);
  return [...before.services.map(({ name }) => name), ...before.instances.map(({ id }) => id)].filter(
    (each) => !present.has(each),
  );
}
