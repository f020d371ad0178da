import type { EventView } from '../../model/event-view.ts';
import type { LiveDeployment, LiveService } from '../../model/live.ts';

/** Another one whenever the details of a service may be others: with a release, a configuration, or a deployment that the stream tells no more. */
export function detailsKey(
  { name, release }: Pick<LiveService, 'name' | 'release'>,
  events: readonly Pick<EventView, 'id' | 'type'>[],
  deployments: readonly Pick<LiveDeployment, 'id' | 'service'>[],
): string {
  const configured = events.find(({ type }) => type === 'config.applied')?.id ?? 0;
  const told = deployments.filter(({ service }) => service === name).map(({ id }) => id);
  return [name, release.deployment ?? 0, configured, ...told].join(' ');
}
