import type { InstanceView } from './instance-view.ts';
import type { ServiceView } from './service-view.ts';

/** What people and the manager set of a service; figures that change by themselves are not among it. Named as in a change. */
export interface ServiceSettings
  extends Pick<ServiceView, 'name' | 'algorithm' | 'maxConnections' | 'weight' | 'release'> {
  /** How many there should be. */
  readonly instances: number;
  readonly paused: boolean;
}

/** What people and the manager set of an instance. */
export type InstanceSettings = Pick<InstanceView, 'id' | 'service' | 'url' | 'version' | 'weight'>;

export function settingsOfService(view: ServiceView): ServiceSettings {
  const { name, desired, algorithm, maxConnections, weight, pausedSince, release } = view;
  return { name, instances: desired, algorithm, maxConnections, weight, paused: pausedSince !== null, release };
}

export function settingsOfInstance({ id, service, url, version, weight }: InstanceView): InstanceSettings {
  return { id, service, url, version, weight };
}
