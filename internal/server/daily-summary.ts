import type { EventType, StoredEvent } from '../model/event.ts';
import type { InstanceView } from '../model/instance-view.ts';

/** What a person wants to read about in the morning, in this order. */
const TOLD: readonly (readonly [type: EventType, one: string, many: string])[] = [
  ['instance.crash-loop', 'crash loop', 'crash loops'],
  ['instance.exited', 'unexpected exit', 'unexpected exits'],
  ['instance.start-failed', 'failed start', 'failed starts'],
  ['config.refused', 'refused configuration', 'refused configurations'],
  ['instance.added', 'instance added', 'instances added'],
  ['instance.removed', 'instance removed', 'instances removed'],
];
const LATEST = 10;

/**
 * The last day in a few lines: how every service stands, what happened how often, and the latest troubles.
 * @param events - of the last day, newest first.
 * @param now - epoch milliseconds.
 */
export function dailySummary(
  instances: readonly InstanceView[],
  events: readonly StoredEvent[],
  now: number,
): { title: string; text: string } {
  const troubled = instances.filter(({ status, health }) => status === 'error' || health === 'unhealthy');
  const state = troubled.length === 0 ? 'all well' : `${troubled.length} of ${instances.length} instances in trouble`;
  const sections = [
    ['Services', serviceLines(instances)],
    ['The last 24 hours', countLines(events)],
    ['Latest troubles', troubleLines(events)],
  ] as const;
  const text = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => [title, ...lines.map((line) => `  ${line}`)].join('\n'))
    .join('\n\n');
  return { title: `Daily summary ${new Date(now).toISOString().slice(0, 10)}: ${state}`, text };
}

function serviceLines(instances: readonly InstanceView[]): string[] {
  return [...Map.groupBy(instances, ({ service }) => service)].map(([service, all]) => {
    const running = all.filter(({ status }) => status === 'running');
    const unhealthy = all.filter(({ status, health }) => status === 'error' || health === 'unhealthy');
    const names = unhealthy.length === 0 ? '' : `; in trouble: ${unhealthy.map(({ id }) => id).join(', ')}`;
    return `${service}: ${running.length} of ${all.length} running${names}`;
  });
}

function countLines(events: readonly StoredEvent[]): string[] {
  const lines = TOLD.flatMap(([type, one, many]) => {
    const count = events.filter((event) => event.type === type).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
  });
  return lines.length > 0 ? lines : ['nothing happened'];
}

function troubleLines(events: readonly StoredEvent[]): string[] {
  const troubles = events.filter(
    ({ type }) => type === 'instance.exited' || type === 'instance.crash-loop' || type === 'instance.start-failed',
  );
  return troubles
    .slice(0, LATEST)
    .map(({ at, message }) => `${new Date(at).toISOString().slice(11, 19)} UTC ${message}`);
}
